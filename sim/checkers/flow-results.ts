/** What flows came to: held against a plain evaluation of the events that they have taken, in the order in which they have taken them. */
import type { CounterState } from "../flows/app.ts";
import type { FlowHistory } from "../flows/history.ts";
import { canonical, type Row, sorted } from "../flows/model/events.ts";
import type { JoinsModel, Pair } from "../flows/model/joins.ts";
import type { WindowsModel } from "../flows/model/windows.ts";
import type { Finding } from "./finding.ts";

export type FlowResultAnomaly =
  | "wrong-view"
  | "wrong-output"
  | "wrong-late"
  | "wrong-answer"
  | "wrong-calls"
  | "wrong-messages"
  | "wrong-dead-letters"
  | "wrong-lookup"
  | "wrong-pairs"
  | "unnamed-lost";

export interface ViewBody {
  readonly rows: readonly Row[];
  readonly watermark: number | null;
  readonly events: number;
  readonly late: number;
  readonly batches: number;
  readonly next?: string;
}
export interface PageBody {
  readonly first: number;
  readonly events: readonly Row[];
  readonly end: number;
}
interface Aside {
  readonly operator?: string;
  readonly event: { readonly n: number };
}

/** Final reads, parsed. */
export class FinalReads {
  readonly #bodies: ReadonlyMap<string, string>;

  constructor({ final }: FlowHistory) {
    this.#bodies = final;
  }

  #read(name: string): unknown {
    const body = this.#bodies.get(name);
    if (body === undefined) throw new Error(`nobody has read ${name}`);
    return JSON.parse(body) as unknown;
  }
  has(name: string): boolean {
    return this.#bodies.has(name);
  }
  view(name: string): ViewBody {
    return this.#read(`view ${name}`) as ViewBody;
  }
  stream(name: string): PageBody {
    return pageOf(this.#read(`stream ${name}`));
  }
  get counters(): Record<string, CounterState> {
    return this.#read("counters") as Record<string, CounterState>;
  }
  /** Operator and event, in no order: they are kept by the clocks of partitions. */
  aside(name: string): string[] {
    const { first, events, end } = pageOf(this.#read(name));
    if (first !== 0 || end !== events.length) throw new Error(`of ${name} there are ${events.length} of ${end}`);
    return (events as unknown as readonly Aside[])
      .map(({ operator = "refused", event }) => `${operator} ${event.n}`)
      .sort();
  }
}

/** Events are JSON texts. */
export function pageOf(body: unknown): PageBody {
  const page = body as Omit<PageBody, "events"> & { readonly events: readonly string[] };
  return { ...page, events: page.events.map((event) => JSON.parse(event) as Row) };
}

export function sameRows(
  anomaly: FlowResultAnomaly,
  what: string,
  actual: readonly unknown[],
  expected: readonly unknown[],
): Finding<FlowResultAnomaly>[] {
  const [is, must] = [sorted(actual), sorted(expected)];
  if (is.join("\n") === must.join("\n")) return [];
  return [
    finding(anomaly, `${what} has ${without(is, must)} and lacks ${without(must, is)} (of ${must.length})`, what),
  ];
}

/** A stream is a batch's rows after the other; those of one batch in any order. */
export function sameStream(
  name: string,
  { first, events, end }: PageBody,
  expected: ReadonlyArray<readonly Row[]>,
): Finding<FlowResultAnomaly>[] {
  if (first !== 0 || end !== events.length) {
    return [
      finding("wrong-output", `stream ${name} begins with ${first} and ends with ${end}, of ${events.length}`, name),
    ];
  }
  let at = 0;
  for (const [batch, rows] of expected.entries()) {
    const given = events.slice(at, at + rows.length);
    const found = sameRows("wrong-output", `stream ${name}, behind batch ${batch},`, given, rows);
    if (found.length > 0) return found;
    at += rows.length;
  }
  return at === events.length
    ? []
    : [finding("wrong-output", `stream ${name} has ${events.length - at} more: ${show(events.slice(at))}`, name)];
}

/** What was called in the batch's own transaction: in the order of batches. */
export function checkCalls(model: WindowsModel, counters: Record<string, CounterState>): Finding<FlowResultAnomaly>[] {
  return Object.entries(counters).flatMap(([key, { added }]) => {
    const expected = model.added.get(key) ?? [];
    const batchOf = new Map(expected.map(({ n, batch }) => [n, batch]));
    const batches = added.map((n) => batchOf.get(n) ?? -1);
    const inOrder = batches.every((batch, at) => at === 0 || batch >= (batches[at - 1] as number));
    const found = sameRows(
      "wrong-calls",
      `counter ${key}`,
      added,
      expected.map(({ n }) => n),
    );
    if (found.length > 0 || inOrder) return found;
    return [finding("wrong-calls", `counter ${key} was called in the order ${show(added)}`, key)];
  });
}

export function checkMessages(model: JoinsModel, counters: Record<string, CounterState>): Finding<FlowResultAnomaly>[] {
  return Object.entries(counters).flatMap(([key, { met }]) =>
    sameRows("wrong-messages", `counter ${key}`, met, model.met.get(key) ?? []),
  );
}

/** Pairs in the order of the batches that made them: all that must be there, none that must not, none twice. */
export function checkPairs(pairs: readonly Pair[], { events }: PageBody): Finding<FlowResultAnomaly>[] {
  const name = "near";
  const known = new Map(pairs.map((pair) => [`${pair.l} ${pair.r}`, pair]));
  const seen = new Set<string>();
  let batch = 0;
  for (const { l, r } of events as unknown as ReadonlyArray<{ l: number; r: number }>) {
    const text = `${l} ${r}`;
    const pair = known.get(text);
    if (pair === undefined) return [finding("wrong-pairs", `${text} is no pair`, name)];
    if (seen.has(text)) return [finding("wrong-pairs", `the pair ${text} is given twice`, name)];
    if (pair.batch < batch) return [finding("wrong-pairs", `the pair ${text} is given out of order`, name)];
    seen.add(text);
    batch = pair.batch;
  }
  const missing = pairs.find(({ l, r, must }) => must && !seen.has(`${l} ${r}`));
  return missing === undefined ? [] : [finding("wrong-pairs", `the pair ${missing.l} ${missing.r} is missing`, name)];
}

export function finding(
  anomaly: FlowResultAnomaly,
  explanation: string,
  ...operations: readonly string[]
): Finding<FlowResultAnomaly> {
  return { anomaly, explanation, operations };
}

/** What one has more often than the other. */
function without(rows: readonly string[], others: readonly string[]): string {
  const left = [...others];
  const more = rows.filter((row) => {
    const at = left.indexOf(row);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return more.length === 0 ? "nothing" : more.slice(0, 4).join(" ");
}

const show = (rows: readonly unknown[]): string => rows.slice(0, 4).map(canonical).join(" ");
