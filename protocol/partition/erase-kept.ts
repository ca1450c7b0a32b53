/** What the engine itself keeps under keys of other names, and of an erased key: messages that wait for their time, and dead letters. */
import type { AppDefinition } from "../../sdk/app.ts";
import { Pin } from "../backup/pin.ts";
import { LIMITS } from "../limits.ts";
import { DEAD, decodeDead } from "../outbox/dead-letter.ts";
import { concernsErased, ERASE, type Erased } from "../outbox/erased.ts";
import type { Letter } from "../outbox/posting.ts";
import { afterPrefix, keyOfEntity } from "../state/state-key.ts";
import type { StateStore } from "../state/store.ts";
import { isDeclaredName, waitingOf } from "../timers/schedules.ts";
import { DUE, timerOf, TIMERS } from "../timers/timer.ts";
import { resolveAny } from "./resolve.ts";
import type { MachineParts } from "./status.ts";

/** All that is stored under one of the engine's own services begins with this. */
const UNDER_TIMERS = `${TIMERS}\u0001`;
const UNDER_DEAD = `${DEAD}\u0001`;

/** Where blocks may hold what is deleted. */
export const KEPT_PREFIXES: readonly string[] = [UNDER_TIMERS, DUE, UNDER_DEAD];

/**
 * Starts a transaction for every key under which something of the erased one is kept, some at a time. Each takes that key's lock, as whatever else
 * is done to it. Returns how many: it is to be asked again until there is none.
 */
export function eraseKept(app: AppDefinition, parts: MachineParts, erased: Erased, now: number): number {
  const { committed } = parts.layers;
  const input = JSON.stringify(erased);
  let begun = 0;
  for (const [service, prefix, letterOf] of [
    [TIMERS, UNDER_TIMERS, erasableTimer],
    [DEAD, UNDER_DEAD, decodeDead],
  ] as const) {
    for (const key of keysWith(committed, prefix, letterOf, erased)) {
      if (begun >= LIMITS.maxFiringKeys) return begun;
      parts.admission.begin(resolveAny(app, service, key, ERASE), now, input);
      begun += 1;
    }
  }
  return begun;
}

function keysWith(
  committed: StateStore,
  prefix: string,
  letterOf: (text: string) => Letter | null,
  erased: Erased,
): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const [row, text] of new Pin(committed, prefix, afterPrefix(prefix)).pairs()) {
    // Totals and schedules say nothing of anybody: a letter has a line feed behind its head.
    const letter = text.includes("\n") ? letterOf(text) : null;
    if (letter !== null && concernsErased(letter, erased)) keys.add(keyOfEntity(row));
  }
  return keys;
}

/** What the code declares goes on: it would come again anyway, yet only when the next instance begins. */
function erasableTimer(text: string): Letter | null {
  const { schedule, letter } = waitingOf(text);
  return isDeclaredName(schedule) ? null : timerOf(letter);
}
