/**
 * Ends of a flow: what a service refuses is taken nowhere; each event of a batch that was taken is delivered to each end that wants it, under one key, and
 * again under another only when it has been a dead letter and was sent again; in order where one delivery is under way at a time; nothing else is.
 */
import { ENDS, type EndName, isBarred } from "../flows/ends/app.ts";
import { END_NAMES, type EndLetter, type EndsHistory } from "../flows/ends/history.ts";
import type { Delivered } from "../flows/ends/world.ts";
import { canonical, type FlowEvent } from "../flows/model/events.ts";
import type { Finding } from "./finding.ts";
import { orderOfEvents } from "./flow-order.ts";

export type FlowEndAnomaly =
  | "refused-batch-taken"
  | "wrong-answer"
  | "wrong-calls"
  | "page-changed"
  | "end-uncommitted"
  | "end-missing"
  | "end-key-changed"
  | "end-body-changed"
  | "end-reordered"
  | "end-too-much"
  | "letter-left"
  | "wrong-count";

export function checkEnds(history: EndsHistory): Finding[] {
  const { batches, findings } = orderOfEvents("ends", history.sent, history.log);
  // What is judged by an order that is wrong would be wrong everywhere.
  if (findings.length > 0) return [...findings];
  const taken = batches.flatMap(({ events }) => events);
  return [
    ...batches.flatMap(({ name, events }) =>
      events.some(isBarred)
        ? [finding("refused-batch-taken", `${name} was refused by a service and is in the log`)]
        : [],
    ),
    ...checkAnswers(history),
    ...checkCalls(history, taken),
    ...checkPages(history, batches),
    ...END_NAMES.flatMap((end) => checkEnd(history, end, taken.filter(ENDS[end].wants))),
  ];
}

function checkAnswers({ sent, answers }: EndsHistory): Finding[] {
  const events = new Map(sent.map((batch) => [batch.name, batch.events]));
  return answers.flatMap(({ batch, status, body }) => {
    const of = events.get(batch) ?? [];
    const should = of.some(isBarred) ? 409 : 200;
    const isRight = should === 409 || body === JSON.stringify({ accepted: of.length, late: { ends: 0 } });
    return status === should && isRight ? [] : [finding("wrong-answer", `${batch} was answered ${status} ${body}`)];
  });
}

/** In the transaction of the batch, one after the other. */
function checkCalls({ admitted }: EndsHistory, taken: readonly FlowEvent[]): Finding[] {
  return Object.entries(admitted).flatMap(([key, numbers]) => {
    const should = taken.filter(({ k }) => k === key).map(({ n }) => n);
    if (should.join() === numbers.join()) return [];
    return [finding("wrong-calls", `key ${key} was called with ${numbers.join()}, which should be ${should.join()}`)];
  });
}

/** Each is a part of the log as it is in the end, and knows of it up to the end of some batch. */
function checkPages(
  { pages, log }: EndsHistory,
  batches: readonly { readonly events: readonly FlowEvent[] }[],
): Finding[] {
  const ends = new Set([0]);
  let length = 0;
  for (const { events } of batches) ends.add((length += events.length));
  return pages.flatMap(({ name, first, numbers, end }) => {
    const should = log.slice(first, Math.min(end, first + numbers.length));
    if (ends.has(end) && should.join() === numbers.join()) return [];
    return [
      finding("page-changed", `${name} shows ${numbers.join()} from ${first} on, of ${end}, in a log of ${log.join()}`),
    ];
  });
}

function checkEnd(history: EndsHistory, end: EndName, wanted: readonly FlowEvent[]): Finding[] {
  const done = history.done.filter((each) => each.end === end);
  const letters = history.letters.filter((each) => each.end === end);
  const found = [
    ...checkDeliveries(end, done, wanted),
    ...history.left.flatMap((each) =>
      each.end === end ? [finding("letter-left", `event ${each.n} is a dead letter of ${end} still`)] : [],
    ),
    ...checkEvents(end, done, wanted, letters),
  ];
  const buried = new Set(letters.map(({ n }) => n));
  if (ENDS[end].inOrder)
    found.push(
      ...checkInOrder(
        end,
        done,
        wanted.filter(({ n }) => !buried.has(n)),
      ),
    );
  const { waiting, delivered, failed } = history.status[end];
  const failures = letters.filter(({ type }) => type !== "full").length;
  if (waiting !== 0 || delivered !== wanted.length || (history.lettersAreAll && failed !== failures)) {
    const counts = `${waiting} waiting, ${delivered} delivered, ${failed} failed`;
    found.push(finding("wrong-count", `${end} counts ${counts}, of ${wanted.length} events and ${failures} failures`));
  }
  return found;
}

/** Each key has the same events every time, no more than go together, all of them committed. */
function checkDeliveries(end: EndName, done: readonly Delivered[], wanted: readonly FlowEvent[]): Finding[] {
  const known = new Map(wanted.map((event) => [event.n, canonical(event)]));
  const bodies = new Map<string, string>();
  return done.flatMap(({ id, events }) => {
    const body = canonical(events);
    const before = bodies.get(id) ?? body;
    bodies.set(id, before);
    if (before !== body) return [finding("end-body-changed", `${end} was given ${before} under ${id}, and ${body}`)];
    const { most } = ENDS[end];
    if (events.length > most) return [finding("end-too-much", `${end} was given ${events.length} events at a time`)];
    const strange = events.find((event) => known.get(event.n) !== canonical(event));
    if (strange === undefined) return [];
    return [finding("end-uncommitted", `${end} was given ${canonical(strange)}, of no batch that was taken`)];
  });
}

function checkEvents(
  end: EndName,
  done: readonly Delivered[],
  wanted: readonly FlowEvent[],
  letters: readonly EndLetter[],
): Finding[] {
  const keys = new Map<number, Set<string>>();
  const taken = new Set<number>();
  for (const { id, events, ok } of done) {
    for (const { n } of events) {
      keys.set(n, (keys.get(n) ?? new Set()).add(id));
      if (ok) taken.add(n);
    }
  }
  return wanted.flatMap(({ n }) => {
    const vain = letters.filter((each) => each.n === n && each.type !== "full").length;
    const under = keys.get(n)?.size ?? 0;
    if (!taken.has(n)) return [finding("end-missing", `event ${n} was never taken by ${end}`)];
    if (under <= vain + 1) return [];
    return [
      finding("end-key-changed", `event ${n} came to ${end} under ${under} keys, and was given up ${vain} times`),
    ];
  });
}

/** Each comes for the first time behind all before it. @param wanted but those that have been dead letters */
function checkInOrder(end: EndName, done: readonly Delivered[], wanted: readonly FlowEvent[]): Finding[] {
  const place = new Map(wanted.map(({ n }, at) => [n, at]));
  const seen = new Set<number>();
  let last = -1;
  for (const { events } of done) {
    for (const { n } of events) {
      const at = place.get(n);
      if (at === undefined || seen.has(n)) continue;
      seen.add(n);
      if (at < last) return [finding("end-reordered", `event ${n} came to ${end} behind one that was taken later`)];
      last = at;
    }
  }
  return [];
}

function finding(anomaly: FlowEndAnomaly, explanation: string): Finding<FlowEndAnomaly> {
  return { anomaly, explanation, operations: [] };
}
