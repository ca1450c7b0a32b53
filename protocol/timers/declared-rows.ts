/** What a domain keeps though nobody has used it: the schedules that its code declares, each with the message that waits for the first time. */
import { parseStateKey } from "../state/state-key.ts";
import type { Write } from "../state/store.ts";
import { isDeclaredName, SCHEDULES, waitingOf } from "./schedules.ts";
import { dueOf, TIMERS, WAITING } from "./timer.ts";

/** Deletes of these rows, if declared schedules alone have made them; null when something else is among them. */
export function declaredOnly(pairs: Iterable<readonly [key: string, text: string]>): Write[] | null {
  const deletes: Write[] = [];
  for (const [key, text] of pairs) {
    if (!isOfDeclared(key, text)) return null;
    deletes.push({ op: "delete", key, text: "" });
  }
  return deletes;
}

function isOfDeclared(row: string, text: string): boolean {
  // The index says nothing of its own: what it leads to is among the rows.
  if (dueOf(row) !== null) return true;
  const { service, collection, entry } = parseStateKey(row);
  if (service !== TIMERS) return false;
  if (collection === SCHEDULES) return isDeclaredName(String(entry));
  return collection === WAITING && isDeclaredName(waitingOf(text).schedule);
}
