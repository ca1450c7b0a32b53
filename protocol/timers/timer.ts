/**
 * Delayed messages as rows of state. Each is an entry of the key that keeps it, its sender's or, from outside, its target's, so that it is locked,
 * moved and backed up with that key. The partition's index of them, in order of their times, is made from the same writes.
 */
import { invariant } from "../assert.ts";
import { decodeLetter, encodeMessage } from "../outbox/message.ts";
import type { Letter } from "../outbox/posting.ts";
import { afterPrefix, collectionPrefix, encodeEntryKey, entityKey, keyOfEntity } from "../state/state-key.ts";
import type { StateStore, Write } from "../state/store.ts";
import { REQUEST_ID_LENGTH } from "../wire/invoke.ts";

/** The internal service whose keys keep delayed messages. No app has one of such a name. */
export const TIMERS = "#timers";
/** The collection of such a key. Its entries are in the order of their times, since their ids are. */
export const WAITING = "waiting";
const TIMERS_PREFIX = `${TIMERS}\u0001`;

/** What the index of a partition is stored under. It is not moved: it is made anew from what is. */
export const DUE = entityKey("#due", "");
const DUE_ENTRIES = collectionPrefix(DUE, "at");

/** A delayed message as the index has it. */
export interface Due {
  /** Its row in the index: ordered by time. */
  readonly row: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Key that keeps it. */
  readonly key: string;
}

const AT_DIGITS = 11;

/**
 * `t`, the time, the partition that made it, a count that goes on from the time when it was made, and the last digits of the incarnation, should the
 * clock have been set back since the one before: never used twice, and ordered by time. It is a request id.
 */
export function timerId(at: number, partition: number, incarnation: number, count: number): string {
  const id = `t${hex(at, AT_DIGITS)}${hex(partition, 3)}${hex(count, 14)}${hex(incarnation % 0x1000, 3)}`;
  invariant(id.length === REQUEST_ID_LENGTH, "9: a delayed message has no id");
  return id;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** When a message is due by its id; 0 for one that was sent at once. */
export function dueAt(requestId: string): number {
  return requestId.startsWith("t") ? Number.parseInt(requestId.slice(1, 1 + AT_DIGITS), 16) : 0;
}

/** Above the ids of all that are due at a time, and below those of later ones. */
export function afterDue(at: number): string {
  return `t${hex(at + 1, AT_DIGITS)}`;
}

export function timersOf(key: string): string {
  return entityKey(TIMERS, key);
}

/** Keeps a message until its time, without the index. */
export function timerWrite(key: string, id: string, letter: Letter): Write {
  return { op: "put", key: waitingRow(timersOf(key), id), text: encodeMessage(letter) };
}

export function waitingRow(entity: string, id: string): string {
  return collectionPrefix(entity, WAITING) + encodeEntryKey(id);
}

export function timerOf(text: string): Letter {
  return decodeLetter(text);
}

/** These writes, and what they change in the index of the partition that they are made at. */
export function indexed(writes: Write[]): Write[] {
  let all = writes;
  for (const { op, key } of writes) {
    if (!isWaiting(key)) continue;
    if (all === writes) all = [...writes];
    all.push({ op, key: dueRow(key), text: "" });
  }
  return all;
}

function isWaiting(row: string): boolean {
  return row.startsWith(TIMERS_PREFIX) && !row.endsWith("\u0001") && row.split("\u0001")[2] === WAITING;
}

export function keepsTimer({ op, key }: Write): boolean {
  return op === "put" && isWaiting(key);
}

/** The escaped key stands behind the id. */
function dueRow(row: string): string {
  const [, key = "", , entry = ""] = row.split("\u0001");
  return `${DUE_ENTRIES}${entry}${key}`;
}

/** What a row of the index says; null for any other row. */
export function dueOf(row: string): Due | null {
  if (!row.startsWith(DUE_ENTRIES)) return null;
  // An `s` says that the entry's key is text.
  const from = DUE_ENTRIES.length + 1;
  const id = row.slice(from, from + REQUEST_ID_LENGTH);
  const key = keyOfEntity(`${TIMERS_PREFIX}${row.slice(from + REQUEST_ID_LENGTH)}\u0001`);
  return { row, id, at: dueAt(id), key };
}

/** Rows of the index in order, from behind one on, at most `limit`. */
export function duesBehind(committed: Pick<StateStore, "range">, row: string, limit: number): Due[] {
  const from = row === "" ? DUE_ENTRIES : `${row}\u0001`;
  const rows = committed.range(DUE_ENTRIES, DUE, from, afterPrefix(DUE_ENTRIES), limit, false);
  return rows.map(([key]) => dueOf(key) as Due);
}
