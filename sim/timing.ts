/** What was asked of schedules, cancels and state that lives while it is used, and what is left of it, as the checkers want it. */
import type { Arrangement, TickHistory } from "./checkers/ticks.ts";
import type { LedgerHistory } from "./checkers/ledger.ts";
import type { TimerHistory } from "./checkers/timers.ts";
import type { UseHistory } from "./checkers/uses.ts";
import type { Played } from "./acts/times.ts";
import { delayedOf } from "./clients/asks.ts";
import { OUTSIDE } from "./clients/clocks.ts";
import type { Ledger } from "./clients/ledger.ts";
import { DECLARED, LAST_VERSION } from "./clients/deployed-service.ts";
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

/** Who keeps the schedules that the code declares, in a history. */
const CODE = "the code";

const NOTHING: Pick<Played, "quiet" | "dark"> = { quiet: [], dark: [] };

/**
 * @param played null where that is no part of the run, nor are other versions of the code
 * @param deploys when versions of the code were deployed, simulated ms
 */
export function ticksOf(
  { ticks, deployed }: Final,
  played: Played | null,
  deploys: readonly number[],
  skewMs: number,
): TickHistory {
  const { quiet, dark } = played ?? NOTHING;
  const arranged = new Map<string, Arrangement[]>();
  for (const [key, state] of ticks)
    arranged.set(
      key,
      state.arranged.map((each) => (each.op === "end" ? each : { ...each, every: each.every * MINUTE_MS })),
    );
  const [at = ""] = deployed.keys();
  if (played) arranged.set(CODE, declaredFor(at, deploys, played.deployedMs, skewMs));
  const came = [
    ...[...ticks].flatMap(([to, { ticked }]) => ticked.map((each) => ({ ...each, to }))),
    ...[...deployed].flatMap(([to, { beaten }]) => beaten.map((each) => ({ ...each, from: CODE, to }))),
  ];
  return { arranged, ticks: came.map((each) => ({ ...each, due: dueOf(each.id) })), quiet, dark, skewMs };
}

/** Each schedule of each version, as if it were made when that was deployed first, and ended when the last code that declares it was gone. */
function declaredFor(
  to: string,
  deploys: readonly number[],
  [first, second]: Played["deployedMs"],
  skewMs: number,
): Arrangement[] {
  const lasting = new Set(Object.values(DECLARED[LAST_VERSION - 1] ?? {}).map(({ n }) => n));
  const arranged = new Map<number, Arrangement[]>();
  for (const [version, schedules] of DECLARED.entries()) {
    for (const [declared, { n, every }] of Object.entries(schedules)) {
      const follows = DECLARED.slice(0, version).flatMap((earlier) => earlier[declared]?.n ?? []);
      if (arranged.has(n)) continue;
      const begins = EPOCH_MS + (version === 0 ? 0 : (deploys[version - 1] as number));
      // Until the first of the two some may have begun without it.
      const [ms, endMs] = lasting.has(n) ? [first, second] : [begins, first];
      const name = String(n);
      const isRepeated = n !== DECLARED[0]?.["stays"]?.n;
      arranged.set(n, [
        {
          op: "arrange",
          n,
          name,
          to,
          every: every * MINUTE_MS,
          at: begins - skewMs,
          ms,
          isRepeated,
          follows,
        },
        { op: "end", name, was: true, ms: endMs },
      ]);
    }
  }
  return [...arranged.values()].flat();
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
    // Who asked when nobody had been told the id has cancelled nothing.
    if (target === null || entry.request.row.input !== target.id) return [];
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

/** What was asked of a service that was deployed anew meanwhile, and what it has. */
export function addedOf(ledger: Ledger, { deployed }: Final): LedgerHistory {
  const requests = [...ledger.entries.values()].flatMap(({ request, answer }): LedgerHistory["requests"] => {
    const { ask } = request.transaction;
    // What is answered with a failure may come through behind that.
    return ask.kind === "add" ? [{ id: String(ask.n), outcome: answer?.status === DONE ? "ok" : "info" }] : [];
  });
  return { requests, entries: [...deployed.values()].flatMap(({ added }) => added).map(String) };
}
