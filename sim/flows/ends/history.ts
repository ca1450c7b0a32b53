/** From what clients and an operator were told of the flow with ends to what its checker judges. */
import type { Ledger } from "../../clients/ledger.ts";
import type { SentBatch } from "../history.ts";
import { ENDS, type EndName, Sold } from "./app.ts";
import type { Delivered } from "./world.ts";

/** An event that an end did not take. */
export interface EndLetter {
  /** Its number among all that were set aside. */
  readonly letter: number;
  readonly end: EndName;
  readonly n: number;
  /** `full` when there was no room for it; else it was delivered in vain. */
  readonly type: string;
}
export interface EndStatus {
  readonly waiting: number;
  readonly delivered: number;
  readonly failed: number;
}
/** Some of the log, as a reader was shown it. */
export interface LogPage {
  readonly name: string;
  readonly first: number;
  readonly numbers: readonly number[];
  readonly end: number;
}

export interface EndsHistory {
  readonly sent: readonly SentBatch[];
  /** Statuses and bodies of answers to batches, by their names. */
  readonly answers: ReadonlyArray<{ readonly batch: string; readonly status: number; readonly body: string }>;
  /** Numbers of events, as the flow has taken them. */
  readonly log: readonly number[];
  readonly pages: readonly LogPage[];
  readonly admitted: Readonly<Record<string, readonly number[]>>;
  /** In the order in which it was done. */
  readonly done: readonly Delivered[];
  /** All that ever were, and those that are left when each was sent again. */
  readonly letters: readonly EndLetter[];
  /** These are all; else some may be of a time that is not judged. */
  readonly lettersAreAll: boolean;
  readonly left: readonly EndLetter[];
  readonly status: Readonly<Record<EndName, EndStatus>>;
}

interface Page {
  readonly first: number;
  readonly events: readonly string[];
  readonly numbers?: readonly number[];
  readonly end: number;
}

export function endsHistoryOf(
  ledger: Ledger,
  sent: readonly SentBatch[],
  final: ReadonlyMap<string, string>,
  done: readonly Delivered[],
): EndsHistory {
  const answers: Array<EndsHistory["answers"][number]> = [];
  const pages: LogPage[] = [];
  for (const { request, answer } of ledger.entries.values()) {
    const { ask, number } = request.transaction;
    if (ask.kind === "events" && ask.stream === Sold.name && answer)
      answers.push({ batch: `batch ${ask.batch}`, status: answer.status, body: answer.body });
    if (answer?.status !== 200) continue;
    if (ask.kind === "ends-page") pages.push(logPageOf(`T${number}`, answer.body));
  }
  const read = (name: string): string => final.get(name) ?? "null";
  const { sinks } = JSON.parse(read("ends-status")) as { readonly sinks: EndsHistory["status"] };
  return {
    sent: sent.filter(({ stream }) => stream === Sold.name),
    answers,
    log: logPageOf("the last page", read("ends-page")).numbers,
    pages,
    admitted: JSON.parse(read("ends-gates")) as EndsHistory["admitted"],
    done,
    letters: lettersSeen(ledger),
    lettersAreAll: true,
    left: lettersIn(read("ends-letters")),
    status: sinks,
  };
}

/** Of which an operator was told. */
export function lettersSeen(ledger: Ledger): EndLetter[] {
  const letters = new Map<number, EndLetter>();
  for (const { request, answer } of ledger.entries.values()) {
    if (request.transaction.ask.kind !== "ends-letters" || answer?.status !== 200) continue;
    for (const each of lettersIn(answer.body)) letters.set(each.letter, each);
  }
  return [...letters.values()];
}

function logPageOf(name: string, body: string): LogPage {
  const { first, events, end } = JSON.parse(body) as Page;
  return { name, first, end, numbers: events.map((event) => (JSON.parse(event) as { readonly n: number }).n) };
}

/** What an operator was shown. */
export function lettersIn(body: string): EndLetter[] {
  const { first, events, numbers } = JSON.parse(body) as Page;
  return events.map((text, at) => {
    const { sink, error, event } = JSON.parse(text) as {
      readonly sink: string;
      readonly error?: { readonly type: string };
      readonly event: { readonly n: number };
    };
    const end = sink as EndName;
    return { letter: numbers?.[at] ?? first + at, end, n: event.n, type: error?.type ?? "refused" };
  });
}

export const END_NAMES = Object.keys(ENDS) as EndName[];
