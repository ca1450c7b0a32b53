/** One-way messages as rows of state: written with the transaction that sends them, deleted when they have been delivered (invariant 5). */
import { REQUEST_ID_LENGTH } from "../wire/invoke.ts";
import { afterPrefix, collectionPrefix, encodeEntryKey, entityKey } from "../state/state-key.ts";
import type { StateStore, Write } from "../state/store.ts";
import { packTry, type PackedTry, unpackTry } from "./dead-letter.ts";
import type { Letter } from "./posting.ts";

export interface Message extends Letter {
  /** A request id: what makes the transaction that it asks for happen once. */
  readonly requestId: string;
  /** Where it is stored. */
  readonly row: string;
}

/** What all messages of a partition are stored under. No service has such a name. */
export const OUTBOX = entityKey("#outbox", "");
const MESSAGES = collectionPrefix(OUTBOX, "messages");

function rowKey(requestId: string): string {
  return MESSAGES + encodeEntryKey(requestId);
}

/**
 * Where one is stored that was made in another partition: before all that are made here, since its sender made it before it came, and
 * among its like in the order of `place`.
 */
export function movedRowKey(place: number, requestId: string): string {
  return rowKey(`${MOVED}${hex(place, PLACE_DIGITS)}${requestId}`);
}
const MOVED = "i";
const PLACE_DIGITS = 8;

/** A write as the partition keeps it that it came to: the row of a message names the incarnation that took it, behind its place. */
export function takenWrite(write: Write, incarnation: number): Write {
  const place = rowKey(MOVED).length + PLACE_DIGITS;
  if (!write.key.startsWith(rowKey(MOVED)) || write.key.length !== place + REQUEST_ID_LENGTH) return write;
  const key = write.key.slice(0, place) + hex(incarnation, INCARNATION_DIGITS) + write.key.slice(place);
  return { ...write, key };
}

/**
 * `m`, the partition, its incarnation and a count that goes on from the time: never used twice, also not by a partition of the same number that a
 * backup has known; and ordered as they are made, which for one sender is the order of its transactions, since ids are made under the lock of the
 * sender's key.
 */
export function messageId(partition: number, incarnation: number, count: number): string {
  const id = `m${hex(partition, 3)}${hex(incarnation, INCARNATION_DIGITS)}${hex(count, 16)}`;
  return id.slice(0, REQUEST_ID_LENGTH);
}

/** The incarnation of this partition that has sent it, or has taken it from another one; null where earlier code took it. */
export function incarnationOf({ row }: Message, partition: number): number | null {
  const [own, moved] = [rowKey(`m${hex(partition, 3)}`), rowKey(MOVED)];
  if (row.startsWith(own)) return incarnationAt(row, own.length);
  const behindPlace = moved.length + PLACE_DIGITS;
  const names = row.startsWith(moved) && row.length === behindPlace + INCARNATION_DIGITS + REQUEST_ID_LENGTH;
  return names ? incarnationAt(row, behindPlace) : null;
}

function incarnationAt(row: string, at: number): number {
  return Number.parseInt(row.slice(at, at + INCARNATION_DIGITS), 16);
}
const INCARNATION_DIGITS = 12;

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** Writes that keep messages until they are delivered. One that was delayed, or tells of an effect, keeps its id, behind one that gives it its place. */
export function messageWrites(
  letters: ReadonlyArray<Letter & { readonly id?: string }>,
  nextId: () => string,
): Write[] {
  return letters.map((letter) => ({
    op: "put",
    key: rowKey(`${nextId()}${letter.id ?? ""}`),
    text: encodeMessage(letter),
  }));
}

/** Keeps what has become of a message. */
export function keptWrite(message: Message): Write {
  return { op: "put", key: message.row, text: encodeMessage(message) };
}

/** Who and whom and what failed as JSON, a line feed, which that has none of, and the input as it is: to write it as text within JSON could double it. */
export function encodeMessage({ sender, origin, service, key, name, input, coded, tries, begun }: Letter): string {
  const hasOrigin = origin !== undefined;
  const failed = tries === undefined && !begun && !hasOrigin ? [] : [(tries ?? []).map(packTry)];
  const lost = begun || hasOrigin ? [Number(begun === true)] : [];
  const first = hasOrigin ? [origin] : [];
  return `${JSON.stringify([sender, service, key, name, Number(coded), ...failed, ...lost, ...first])}\n${input}`;
}

function decode(rowKeyText: string, text: string): Message {
  return { requestId: rowKeyText.slice(-REQUEST_ID_LENGTH), row: rowKeyText, ...decodeLetter(text) };
}

/** What {@link encodeMessage} wrote. */
export function decodeLetter(text: string): Letter {
  const end = text.indexOf("\n");
  const [sender, service, key, name, coded, failed, begun, origin] = JSON.parse(text.slice(0, end)) as [
    string,
    string,
    string,
    string,
    number,
    PackedTry[] | undefined,
    number | undefined,
    string | undefined,
  ];
  const letter = { sender, service, key, name, input: text.slice(end + 1), coded: coded === 1 };
  if (failed === undefined) return letter;
  const first = origin === undefined ? {} : { origin };
  return { ...letter, ...first, tries: failed.map(unpackTry), ...(begun === 1 ? { begun: true } : {}) };
}

export function deliveredWrite({ row }: Pick<Message, "row">): Write {
  return { op: "delete", key: row, text: "" };
}

export function keepsMessage({ op, key }: Write): boolean {
  return op === "put" && key.startsWith(MESSAGES);
}

/** The message that a write keeps, if it is such a write. */
export function messageOf(write: Write): Message | undefined {
  return keepsMessage(write) ? decode(write.key, write.text) : undefined;
}

/** Messages that are stored, oldest first, behind a row, at most so many; an empty row is before all. */
export function messagesBehind(committed: Pick<StateStore, "range">, row: string, limit: number): Message[] {
  const from = row === "" ? MESSAGES : row + NEXT;
  const rows = committed.range(MESSAGES, OUTBOX, from, afterPrefix(MESSAGES), limit, false);
  return rows.map(([key, text]) => decode(key, text));
}

/** All of them, some at a time. */
export function* storedMessages(committed: Pick<StateStore, "range">): Generator<Message> {
  for (let from = ""; ;) {
    const page = messagesBehind(committed, from, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    from = last.row;
  }
}
const PAGE = 1_000;
/** Behind a row's key it is above that, and below every other: none begins with another. */
const NEXT = "\u0001";
