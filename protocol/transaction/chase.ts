/** Finding calls of one transaction that wait for each other by way of several partitions: edges are followed from partition to partition (Chandy, Misra and Haas 1983). */
import type { ChaseMessage, Peer } from "../wire/messages.ts";
import { type Activation, type Attempt, isAncestorOrSelf, MIRROR_ID } from "./attempt.ts";
import { blockersOf } from "./uses.ts";

/** Where a chase goes on: to whoever answers a call from here, or to the home of a tried call that keeps a key here until it ends. */
export interface Hop {
  readonly peer: Peer;
  readonly callId: number;
  readonly tried: boolean;
}

/** What a queued activation waits for at other partitions, through others of its transaction here. */
export function hopsFrom(queued: Activation): Hop[] {
  return openHops(queued.attempt, reachable(queued.attempt, blockersOf(queued)));
}

/** What a chase comes to: the activation that answers the sender's call, or the tried call of this partition; while it lives. */
export function chased(attempt: Attempt, peer: Peer, { callId, tried }: Omit<Hop, "peer">): Activation | undefined {
  if (!tried) return answersTo(attempt, peer, callId);
  return attempt.live.get(callId);
}

/** The activation that answers a call of a peer, while it lives. */
function answersTo(attempt: Attempt, peer: Peer, callId: number): Activation | undefined {
  for (const activation of attempt.live.values()) {
    if (activation.caller?.peer === peer && activation.caller.callId === callId) return activation;
  }
  return undefined;
}

/**
 * Where a chase goes on from an activation that something waits for.
 * @param calls the calls from here on the call path of the chase's origin: what is above one of those waits for the origin
 */
export function answeredBy(
  activation: Activation,
  calls: ReadonlyArray<Activation | null>,
): { cycle: boolean; open: Hop[] } {
  const seen = reachable(activation.attempt, [activation]);
  for (const blocker of seen) {
    if (calls.some((call) => call !== null && isAncestorOrSelf(blocker, call))) return { cycle: true, open: [] };
  }
  return { cycle: false, open: openHops(activation.attempt, seen) };
}

/** All that these wait for here: an activation waits for its calls, and a queued one for whoever uses its key. */
function reachable(attempt: Attempt, from: readonly Activation[]): Set<Activation> {
  const seen = new Set<Activation>();
  const open = [...from];
  while (open.length > 0) {
    const blocker = open.pop() as Activation;
    if (seen.has(blocker)) continue;
    seen.add(blocker);
    for (const queued of attempt.queued ?? []) if (isAncestorOrSelf(blocker, queued)) open.push(...blockersOf(queued));
  }
  return seen;
}

/** Those of the hops that this chase has not gone before: in a tangle of calls the ways are far more than the calls. */
export function untrodden(attempt: Attempt, { origin, probe }: ChaseMessage, hops: readonly Hop[]): Hop[] {
  const key = `${origin.peer}.${origin.activation}`;
  let chase = attempt.chases?.get(key);
  if (chase && chase.probe > probe) return [];
  if (chase?.probe !== probe) (attempt.chases ??= new Map()).set(key, (chase = { probe, gone: new Set() }));
  const { gone } = chase;
  return hops.filter(({ peer, callId, tried }) => {
    const hop = `${peer}.${callId}.${tried}`;
    return !gone.has(hop) && gone.add(hop);
  });
}

function openHops(attempt: Attempt, waitedFor: Set<Activation>): Hop[] {
  const hops: Hop[] = [];
  for (const activation of attempt.live.values()) {
    if (activation.state !== "remote") continue;
    for (const blocker of waitedFor) {
      if (!isAncestorOrSelf(blocker, activation)) continue;
      hops.push({ peer: activation.remote as Peer, callId: activation.id, tried: false });
      break;
    }
  }
  for (const { id, scope } of waitedFor) {
    if (id === MIRROR_ID && scope.place)
      hops.push({ peer: scope.place.peer, callId: scope.place.activation, tried: true });
  }
  return hops;
}
