/** What was asked of promises and sagas, and what is left of them, as the checkers want it. */
import { PROMISE_KEPT_MS } from "../sdk/limits.ts";
import type { PromiseView } from "../sdk/builtin/promises.ts";
import type { SagaView } from "../sdk/builtin/sagas.ts";
import type { PromiseHistory } from "./checkers/promises.ts";
import type { TourHistory } from "./checkers/tours.ts";
import type { Entry, Ledger } from "./clients/ledger.ts";
import { howOf, type Settling } from "./clients/promise-service.ts";
import { tourPromiseId } from "./clients/tour-service.ts";
import type { Ask } from "./clients/transaction.ts";
import type { Final } from "./final.ts";
import type { Done } from "./world/outside.ts";
import { EPOCH_MS } from "./world/object.ts";

const UNKNOWN = 404;

function entriesOf<Kind extends Ask["kind"]>(
  ledger: Ledger,
  ...kinds: readonly Kind[]
): Array<{ readonly entry: Entry; readonly ask: Extract<Ask, { kind: Kind }> }> {
  return [...ledger.entries.values()].flatMap((entry) => {
    const { ask } = entry.request.transaction;
    return (kinds as readonly string[]).includes(ask.kind) ? [{ entry, ask: ask as Extract<Ask, { kind: Kind }> }] : [];
  });
}

function trueMs(simulated: number): number {
  return EPOCH_MS + Math.floor(simulated);
}

function askedHow(input: Settling): string {
  return input.ok ? `value ${input.value}` : `reason ${input.reason}`;
}

export function promisesOf(ledger: Ledger, { promises }: Final, skewMs: number): PromiseHistory {
  const states = [...promises.values()];
  const known = new Map(
    entriesOf(ledger, "park")
      .filter(({ entry }) => entry.answer?.status === 200)
      .map(({ entry }) => [entry.request.transaction.number, trueMs(entry.completedMs) + 1]),
  );
  return {
    made: states.flatMap(({ parked }) => parked).map((each) => ({ ...each, knownMs: known.get(each.n) ?? Infinity })),
    heard: states.flatMap(({ heard }) => heard),
    asked: entriesOf(ledger, "settle").map(({ ask, entry }) => ({
      id: ask.id,
      how: askedHow(ask.input),
      invokedMs: trueMs(entry.invokedMs),
    })),
    seen: entriesOf(ledger, "settle", "promise").flatMap(({ entry, ask }) => seenIn(entry, ask.id)),
    keptMs: PROMISE_KEPT_MS,
    skewMs,
  };
}

function seenIn({ answer, request, invokedMs, completedMs }: Entry, id: string): PromiseHistory["seen"] {
  if (answer?.status !== 200 && answer?.status !== UNKNOWN) return [];
  const how = answer.status === UNKNOWN ? null : howOf(JSON.parse(answer.body) as PromiseView);
  const { snapshot } = request.transaction;
  return [{ id, how, invokedMs: trueMs(invokedMs), completedMs: trueMs(completedMs), snapshot }];
}

export function toursOf(ledger: Ledger, { tours }: Final, tolls: readonly Done[]): TourHistory {
  const states = [...tours.values()];
  const runs = entriesOf(ledger, "tour-run");
  const cancels = runs.filter(({ ask }) => ask.name === "cancel");
  const rejecting = new Set(entriesOf(ledger, "settle").flatMap(({ ask }) => (ask.input.ok ? [] : [ask.id])));
  const begun = states.flatMap((state) => state.begun);
  return {
    begun: begun.map(({ n, end, flakyUntil, deadline }) => ({
      n,
      end,
      isFlaky: flakyUntil > 0,
      hasDeadline: deadline !== null,
    })),
    notes: states.flatMap(({ notes }) => notes),
    over: states.flatMap(({ over }) => over),
    done: tolls,
    cancelled: new Set(cancels.map(({ ask }) => ask.n)),
    cancelsWon: new Set(cancels.filter(({ entry }) => entry.answer?.status === 200).map(({ ask }) => ask.n)),
    rejected: new Set(begun.map(({ n }) => n).filter((n) => rejecting.has(tourPromiseId(n)))),
    seen: runs.flatMap(({ entry, ask }) => {
      if (entry.answer?.status !== 200) return [];
      const { status } = JSON.parse(entry.answer.body) as SagaView;
      return status === "completed" || status === "compensated"
        ? [{ n: ask.n, completed: status === "completed" }]
        : [];
    }),
  };
}
