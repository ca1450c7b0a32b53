/** What was asked of schedules, cancels and state that lives while it is used, and what is left of it, as the checkers want it. */
import type { TickHistory } from "./checkers/ticks.ts";
import type { TimerHistory } from "./checkers/timers.ts";
import type { UseHistory } from "./checkers/uses.ts";
import type { Played } from "./acts/times.ts";
import { delayedOf } from "./clients/asks.ts";
import { OUTSIDE } from "./clients/clocks.ts";
import type { Ledger } from "./clients/ledger.ts";
import { MINUTE_MS } from "./clients/tick-service.ts";
import { USE_MS, type Used } from "./clients/use-service.ts";
import type { Final } from "./final.ts";
import { EPOCH_MS } from "./world/object.ts";

const DONE = 200;
const REFUSED = 409;

/** When a message is due by its id (docs/formats.md); ms since 1970. */
function dueOf(id: string): number {
  return Number.parseInt(id.slice(1, 12), 16);
}

export function ticksOf(
  { ticks }: Final,
  { quiet, dark }: Pick<Played, "quiet" | "dark">,
  skewMs: number,
): TickHistory {
  const states = [...ticks];
  return {
    arranged: new Map(
      states.map(([key, { arranged }]) => [
        key,
        arranged.map((each) => (each.op === "end" ? each : { ...each, every: each.every * MINUTE_MS })),
      ]),
    ),
    ticks: states.flatMap(([to, { ticked }]) => ticked.map((each) => ({ ...each, to, due: dueOf(each.id) }))),
    quiet,
    dark,
    skewMs,
  };
}

export function usesOf(ledger: Ledger, skewMs: number): UseHistory {
  const uses: Array<UseHistory["uses"][number]> = [];
  const unknown = new Set<string>();
  for (const { request, answer } of ledger.entries.values()) {
    const { ask, snapshot } = request.transaction;
    if (ask.kind !== "use") continue;
    if (answer?.status === DONE) uses.push({ ...(JSON.parse(answer.body) as Used), key: ask.at, isSnapshot: snapshot });
    // What it found its refusal does not tell, and it keeps nothing.
    else if (answer?.status !== REFUSED) unknown.add(ask.at);
  }
  return { uses, unknown, ttlMs: USE_MS, skewMs };
}

/** Cancels over HTTP of messages that a client was told of. */
export function cancelsOf(ledger: Ledger, skewMs: number): TimerHistory["dropped"] {
  return [...ledger.entries.values()].flatMap((entry): TimerHistory["dropped"] => {
    const { ask } = entry.request.transaction;
    const target = ask.kind === "cancel" ? targetOf(ledger, ask.of) : null;
    if (target === null) return [];
    const { answer, completedMs } = entry;
    const inTime = EPOCH_MS + completedMs < dueOf(target.id) - skewMs;
    return [{ ...target, won: answer?.status === DONE ? answer.body === "true" : null, inTime }];
  });
}

interface Target {
  readonly from: string;
  readonly n: number;
  readonly id: string;
}

/** The message that the answer to a transaction named. */
function targetOf(ledger: Ledger, number: number): Target | null {
  const body = ledger.answerTo(number);
  const ask = ledger.entryOf(number)?.request.transaction.ask;
  if (body === undefined || body === "null" || ask?.kind !== "clock") return null;
  const { id } = delayedOf(body);
  if (ask.name === "ring") return { from: OUTSIDE, n: number, id };
  return { from: ask.at, n: (JSON.parse(body) as { readonly n: number }).n, id };
}
