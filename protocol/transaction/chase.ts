/** Finding calls of one transaction that wait for each other by way of several partitions: edges are followed from partition to partition (Chandy, Misra and Haas 1983). */
import type { Peer } from "../wire/messages.ts";
import { type Activation, type Attempt, isAncestorOrSelf } from "./attempt.ts";
import { blockersOf } from "./uses.ts";

/** Calls to other partitions that a queued activation waits for, through others of its transaction here. */
export function callsWaitedFor(queued: Activation): Activation[] {
  return openCalls(queued.attempt, reachable(queued.attempt, blockersOf(queued)));
}

/** The activation that answers a call of a peer, while it lives. */
export function answersTo(attempt: Attempt, peer: Peer, callId: number): Activation | undefined {
  for (const activation of attempt.live) {
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
): { cycle: boolean; open: Activation[] } {
  const seen = reachable(activation.attempt, [activation]);
  for (const blocker of seen) {
    if (calls.some((call) => call !== null && isAncestorOrSelf(blocker, call))) return { cycle: true, open: [] };
  }
  return { cycle: false, open: openCalls(activation.attempt, seen) };
}

/** All that these wait for here: an activation waits for its calls, and a queued one for whoever uses its key. */
function reachable(attempt: Attempt, from: readonly Activation[]): Set<Activation> {
  const seen = new Set<Activation>();
  const open = [...from];
  while (open.length > 0) {
    const blocker = open.pop() as Activation;
    if (seen.has(blocker)) continue;
    seen.add(blocker);
    for (const queued of attempt.queued) if (isAncestorOrSelf(blocker, queued)) open.push(...blockersOf(queued));
  }
  return seen;
}

function openCalls(attempt: Attempt, waitedFor: Set<Activation>): Activation[] {
  const calls: Activation[] = [];
  for (const activation of attempt.live) {
    if (activation.state !== "remote") continue;
    for (const blocker of waitedFor) {
      if (!isAncestorOrSelf(blocker, activation)) continue;
      calls.push(activation);
      break;
    }
  }
  return calls;
}
