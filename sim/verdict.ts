/** What is to be found wrong with a run once it has drained. */
import { checkBank } from "./checkers/bank.ts";
import { checkDrawn } from "./checkers/flow-drawn.ts";
import { checkEnds } from "./checkers/flow-ends.ts";
import { checkQueue } from "./checkers/flow-queue.ts";
import { checkFlows } from "./checkers/flows.ts";
import { checkFrameOrder, type Row } from "./checkers/frame-order.ts";
import { checkDurableBeforeReply } from "./checkers/durable-before-reply.ts";
import type { Finding } from "./checkers/finding.ts";
import type { Operation, Outcome } from "./checkers/history.ts";
import type { Taken } from "./admin/backup.ts";
import type { RestoredRun } from "./admin/restored.ts";
import type { Played } from "./acts/times.ts";
import { checkEvolved } from "./checkers/evolved.ts";
import { checkDeadly } from "./checkers/deadly.ts";
import { checkTicks } from "./checkers/ticks.ts";
import { checkUses } from "./checkers/uses.ts";
import { checkLedger } from "./checkers/ledger.ts";
import { checkListAppend } from "./checkers/list-append.ts";
import { checkTimers } from "./checkers/timers.ts";
import { checkLifetimes, type Touch } from "./checkers/lifetimes.ts";
import { checkSagas } from "./checkers/sagas.ts";
import { checkSlates, type SlateCall, type SlateHistory } from "./checkers/slates.ts";
import type { Slate } from "./clients/slate-service.ts";
import { checkPromises } from "./checkers/promises.ts";
import { checkTours } from "./checkers/tours.ts";
import { checkOutside } from "./checkers/outside.ts";
import { checkMessageOrder } from "./checkers/message-order.ts";
import { OUTSIDE } from "./clients/clocks.ts";
import { TTL_MS, type Touched } from "./clients/outside-service.ts";
import type { Done, OutsideWorld } from "./world/outside.ts";
import { maySayNo } from "./clients/asks.ts";
import { addedOf, cancelsOf, ticksOf, usesOf } from "./timing.ts";
import { promisesOf, toursOf } from "./waiting.ts";
import { DEADLY_ATTEMPTS } from "./clients/clock-service.ts";
import { LIMITS } from "../protocol/limits.ts";
import { OPENING_BALANCE } from "./clients/bank-service.ts";
import type { Entry, Ledger } from "./clients/ledger.ts";
import { messagesSentAgain } from "./clients/letters.ts";
import type { DurableLog } from "./durable-log.ts";
import type { Ask } from "./clients/transaction.ts";
import { historyOf, microOf } from "./history.ts";
import { type Final, isFinalRead } from "./final.ts";
import type { Versions } from "./flows/drawn/app.ts";
import { drawnHistoryOf } from "./flows/drawn/history.ts";
import { endsHistoryOf } from "./flows/ends/history.ts";
import { queueHistoryOf } from "./flows/queue/history.ts";
import { isFailing } from "./flows/queue/app.ts";
import { type FlowHistory, flowHistoryOf } from "./flows/history.ts";
import { restoredEndsOf, restoredHistoryOf } from "./flows/restored.ts";

/** Tries at a message of which nothing may be kept, in a row: an instance that ends may take what made it along. */
const UNCONFIRMED = 14;
/** Before a message is suspected, and then as often as it may fail. */
const MOST_KILLS = LIMITS.suspectRestarts + DEADLY_ATTEMPTS + UNCONFIRMED;

/** What was played, and when versions of the code were deployed before, simulated ms. */
type PlayedTimes = Played & { readonly deploys: readonly number[] };
type Outside = Pick<OutsideWorld, "done" | "tolls" | "ends">;

/**
 * @param outside what effects have done to the world
 * @param skewMs how far clocks may be off, each way
 * @param drawn versions of the drawn flow; null where there is none
 * @param played what was played of time when nothing went wrong; null where that is no part of the run
 */
export function judge(
  ledger: Ledger,
  durable: DurableLog,
  final: Final,
  { done, tolls, ends }: Outside,
  skewMs: number,
  played: PlayedTimes | null = null,
  drawn: Versions | null = null,
): Finding[] {
  const flows = final.flows.size === 0 ? null : flowHistoryOf(ledger, final.flows, durable.recorded, isFinalRead);
  return [
    ...checkTicks(ticksOf(final, played, played?.deploys ?? [], skewMs)),
    ...(played ? judgeTimes(ledger, final, played, skewMs) : []),
    ...checkDurableBeforeReply(durable.events),
    ...checkListAppend(historyOf(ledger, ({ request }) => !request.transaction.snapshot)),
    // Snapshots may be old, but must fit in with the rest.
    ...checkListAppend(
      historyOf(ledger, () => true),
      { realtime: false },
    ),
    ...checkLedger({ requests: outcomesOf(ledger), entries: [...final.lists.values()].flat().map(String) }),
    ...checkBank(bankOf(ledger, final)),
    ...checkMessageOrder(messagesOf(final, ledger)),
    ...checkTimers(timersOf(ledger, final, skewMs)),
    ...checkOutside(outsideOf(final, done)),
    ...checkSagas(sagasOf(final)),
    ...checkSlates(slatesOf(ledger, final)),
    ...checkPromises(promisesOf(ledger, final, skewMs)),
    ...checkTours(toursOf(ledger, final, tolls)),
    ...checkLifetimes({ touches: touchesOf(ledger), ttlMs: TTL_MS, skewMs }),
    ...checkFrameOrder(framesOf(ledger), final.lists),
    ...(flows === null ? [] : judgeFlows(ledger, flows, drawn)),
    ...(flows === null || !final.flows.has("ends-status")
      ? []
      : checkEnds(endsHistoryOf(ledger, flows.sent, final.flows, ends.done))),
    ...(final.flows.has("queue-log") ? checkQueue(queueHistoryOf(ledger, final.flows)) : []),
    ...failuresOf(ledger),
  ];
}

/** @param isBeside of a transaction by its number, whether what it was shown is not looked at */
function judgeFlows(
  ledger: Ledger,
  flows: FlowHistory,
  versions: Versions | null,
  isBeside: (number: number) => boolean = isFinalRead,
): Finding[] {
  if (versions === null) return checkFlows(flows);
  const drawn = checkDrawn(drawnHistoryOf(ledger, versions, flows.sent, flows.final, isBeside));
  return [...checkFlows(flows, drawn), ...drawn.findings];
}

function judgeTimes(ledger: Ledger, final: Final, { deadly }: PlayedTimes, skewMs: number): Finding[] {
  return [
    ...checkLedger(addedOf(ledger, final)),
    ...checkEvolved(final.deployed),
    ...checkUses(usesOf(ledger, skewMs)),
    ...checkDeadly(deadly, MOST_KILLS),
  ];
}

/**
 * A backup is a query of the whole domain, at one moment; what it leads to, restored, is as whole as the run that it was taken from.
 * @param recorded ids of requests in the order in which their results became durable
 * @param drawn versions of the drawn flow; null where there is none
 */
export function judgeRestored(
  ledger: Ledger,
  taken: Taken,
  { final, ...restored }: RestoredRun,
  before: Outside,
  skewMs: number,
  recorded: readonly string[],
  drawn: Versions | null = null,
): Finding[] {
  if (!final) return [];
  const flows = final.flows.size === 0 ? null : restoredHistoryOf(ledger, taken, { final, ...restored }, recorded);
  const { outside, ledger: after } = restored;
  const seen = lookOf(taken, final);
  const asked = new Set([...final.effects.values()].flatMap((each) => each.asked));
  const begun = new Set([...final.tours.values()].flatMap((each) => each.begun).map(({ n }) => n));
  // What was done before stays done; what was asked for by then may be done once more, under the same key.
  const isBefore = ({ ms }: Done): boolean => ms <= taken.at;
  const done = [...before.done.filter(isBefore), ...outside.done].filter(({ n }) => asked.has(n));
  const tolls = [...before.tolls.filter(isBefore), ...outside.tolls].filter(({ n }) => begun.has(n));
  const promises = promisesOf(ledger, final, skewMs);
  // What was said of sagas and promises later is not about these.
  const said = { seen: [], cancelsWon: new Set<number>() };
  return [
    ...checkListAppend([...historyOf(ledger, ({ request }) => !request.transaction.snapshot), seen]),
    ...checkBank({ ...bankOf(ledger, final), snapshots: [] }),
    ...checkMessageOrder(messagesOf(final, ledger, after)),
    ...checkTimers(timersOf(ledger, final, skewMs, ({ completed }) => completed !== null && completed < taken.invoked)),
    ...checkOutside(outsideOf(final, done)),
    ...checkSagas(sagasOf(final)),
    ...checkPromises({ ...promises, asked: [...promises.asked, ...promisesOf(after, final, skewMs).asked], seen: [] }),
    ...checkTours({ ...toursOf(ledger, final, tolls), ...said }),
    ...(flows === null ? [] : judgeFlows(ledger, flows, drawn, () => true)),
    ...(flows === null || !final.flows.has("ends-status")
      ? []
      : checkEnds(restoredEndsOf(ledger, taken, flows.sent, { final, ...restored }, before.ends.done))),
  ];
}

function lookOf({ at, invoked, completed }: Taken, { lists }: Final): Operation {
  return {
    name: "backup",
    process: "backup",
    invoked: { index: invoked, time: at },
    completed: { index: completed, time: at },
    outcome: "ok",
    micro: [...lists].map(([name, values]) => ["read", name, values] as const),
  };
}

/** Of every value that a transaction may have appended. */
function outcomesOf(ledger: Ledger): Array<{ id: string; outcome: Outcome }> {
  const outcomes: Array<{ id: string; outcome: Outcome }> = [];
  for (const entry of ledger.entries.values()) {
    const { ask } = entry.request.transaction;
    if (ask.kind !== "list") continue;
    const micro = microOf(entry);
    // A one-way message is kept, so that it has run once everything has drained.
    const kept = entry.answer?.status === 202;
    const done = new Set((micro ?? []).map((step) => (step[0] === "append" ? step[2] : null)));
    for (const [, , value] of ask.appends) {
      outcomes.push({
        id: String(value),
        outcome: kept ? "ok" : micro === null ? "info" : done.has(value as number) ? "ok" : "fail",
      });
    }
  }
  return outcomes;
}

function bankOf(ledger: Ledger, final: Final): Parameters<typeof checkBank>[0] {
  const snapshots: Array<{ name: string; balances: Record<string, number> }> = [];
  for (const { request, answer } of ledger.entries.values()) {
    if (request.transaction.ask.kind !== "audit" || answer?.status !== 200) continue;
    const balances = JSON.parse(answer.body) as Record<string, number>;
    snapshots.push({ name: `T${request.transaction.number}`, balances });
  }
  const opened = Object.fromEntries(Object.keys(final.balances).map((account) => [account, OPENING_BALANCE]));
  return { opened, snapshots, end: final.balances };
}

/** Rows that a client sent together under one key. */
function framesOf(ledger: Ledger): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const entry of ledger.entries.values()) {
    const { process, refused, request } = entry;
    const { transaction, began } = request;
    if (transaction.ask.kind !== "list" || transaction.snapshot || refused || entry.answer?.status !== 200) continue;
    // What throws, or finds that its calls wait for each other, is not recorded: a repetition runs it again, behind what came after it.
    if (mayThrow(transaction.ask) || mayCycle(transaction.ask)) continue;
    const group = JSON.stringify([process.split(".")[0], began, transaction.ask.at[1]]);
    const row = { name: `T${transaction.number}`, micro: microOf(entry) ?? [] };
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  return [...groups.values()];
}

function messagesOf({ messages }: Final, ...ledgers: readonly Ledger[]): Parameters<typeof checkMessageOrder>[0] {
  const sent = [...messages].flatMap(([sender, { sent: counts }]) =>
    Object.entries(counts).map(([target, count]) => ({ sender, target, count })),
  );
  const received = Object.fromEntries(
    [...messages].map(([target, { inbox }]) => [target, inbox.map(([sender, n]) => ({ sender, n }))]),
  );
  return { sent, sentAgain: messagesSentAgain(...ledgers), received };
}

/** @param isKnown whether what a client was told of a message counts */
function timersOf(
  ledger: Ledger,
  { clocks }: Final,
  skewMs: number,
  isKnown: (entry: Entry) => boolean = () => true,
): Parameters<typeof checkTimers>[0] {
  const states = [...clocks];
  const sent = states.flatMap(([from, state]) => state.sent.map(({ to }, at) => ({ from, n: at + 1, to })));
  const unknown: typeof sent = [];
  for (const entry of ledger.entries.values()) {
    const { request, answer } = entry;
    const { ask, number } = request.transaction;
    if (ask.kind !== "clock" || ask.name !== "ring") continue;
    (answer?.status === 202 && isKnown(entry) ? sent : unknown).push({ from: OUTSIDE, n: number, to: ask.at });
  }
  return {
    sent,
    unknown,
    rung: states.flatMap(([to, { rung }]) => rung.map((each) => ({ ...each, to }))),
    dropped: [...states.flatMap(([, { dropped }]) => dropped), ...cancelsOf(ledger, skewMs)],
    skewMs,
  };
}

function outsideOf({ effects }: Final, done: readonly Done[]): Parameters<typeof checkOutside>[0] {
  const states = [...effects.values()];
  return { asked: states.flatMap(({ asked }) => asked), done, told: states.flatMap(({ told }) => told) };
}

function sagasOf({ trips }: Final): Parameters<typeof checkSagas>[0] {
  const states = [...trips.values()];
  return { begun: states.flatMap(({ begun }) => begun), notes: states.flatMap(({ notes }) => notes) };
}

function slatesOf(ledger: Ledger, { slates }: Final): SlateHistory {
  const calls: SlateCall[] = [];
  const unknown = new Set<string>();
  for (const { request, answer } of ledger.entries.values()) {
    const { ask } = request.transaction;
    // Of the key that was erased nothing is known.
    if (ask.kind !== "slate" || ask.name === "later" || !slates.has(ask.at)) continue;
    if (answer?.status === 200) calls.push(...(JSON.parse(answer.body) as Slate[]));
    else for (const key of [ask.at, ask.input.beside ?? ask.at]) unknown.add(key);
  }
  return { calls, unknown, final: slates };
}

function touchesOf(ledger: Ledger): Touch[] {
  return [...ledger.entries.values()].flatMap(({ request, answer }): Touch[] => {
    const { ask } = request.transaction;
    if (ask.kind !== "touch" || answer?.status !== 200) return [];
    return [{ ...(JSON.parse(answer.body) as Touched), key: ask.at }];
  });
}

const ANSWERED: ReadonlySet<number> = new Set([200, 202, 409]);

/** Only what a program does by itself may fail it. */
function failuresOf(ledger: Ledger): Finding[] {
  const findings: Finding[] = [];
  for (const entry of ledger.entries.values()) {
    const { answer, request } = entry;
    if (!answer || ANSWERED.has(answer.status) || mayEndSo(entry)) continue;
    const name = `T${request.transaction.number}`;
    const explanation = `${name} was answered ${answer.status} ${answer.body}, which nothing in it calls for`;
    findings.push({ anomaly: "unexpected-failure", explanation, operations: [name] });
  }
  return findings;
}

function mayEndSo({ answer, request: { transaction } }: Entry): boolean {
  if ((answer?.status === 404 || answer?.status === 422) && maySayNo(transaction.ask)) return true;
  // By code of a version before the one that has changed the state.
  if (answer?.status === 503 && answer.body.includes("/problems/newer-state")) return transaction.ask.kind === "add";
  if (answer?.status !== 500) return answer?.status === 504 && !transaction.clientId;
  const { type } = JSON.parse(answer.body) as { type: string };
  if (type === "/problems/call-cycle") return mayCycle(transaction.ask);
  return type === "/problems/internal-error" && mayThrow(transaction.ask);
}

function mayCycle(ask: Ask): boolean {
  return ask.kind === "list" && ask.shape === "crossing";
}

function mayThrow(ask: Ask): boolean {
  if (ask.kind === "queued") return ask.messages.some(({ event }) => isFailing(event));
  return JSON.stringify(ask).includes('"throw"');
}
