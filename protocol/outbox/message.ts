/** One-way messages as rows of state: written with the transaction that sends them, deleted when they have been delivered (invariant 5). */
import { TidegateError } from "../../sdk/errors.ts";
import { LIMITS } from "../limits.ts";
import { REQUEST_ID_LENGTH } from "../wire/invoke.ts";
import { afterPrefix, collectionPrefix, encodeEntryKey, entityKey } from "../state/state-key.ts";
import type { StateStore, Write } from "../state/store.ts";
import { fitsUtf8 } from "../utf8.ts";
import type { Posting } from "./posting.ts";

export interface Message {
  /** A request id: what makes the transaction that it asks for happen once. */
  readonly requestId: string;
  readonly sender: string;
  readonly service: string;
  readonly key: string;
  readonly name: string;
  readonly input: string;
}

/** No service has such a name. */
const OUTBOX = entityKey("#outbox", "");
const MESSAGES = collectionPrefix(OUTBOX, "messages");

function rowKey(requestId: string): string {
  return MESSAGES + encodeEntryKey(requestId);
}

/**
 * `m`, the partition, its incarnation and a count: never used twice, and ordered as they are made, which for one sender is the order of its
 * transactions, since ids are made under the lock of the sender's key.
 */
export function messageId(partition: number, incarnation: number, count: number): string {
  const id = `m${hex(partition, 3)}${hex(incarnation, 12)}${hex(count, 16)}`;
  return id.slice(0, REQUEST_ID_LENGTH);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** Writes that keep messages until they are delivered. @throws TidegateError `transaction-too-large` */
export function postingWrites(postings: ReadonlyArray<Omit<Posting, "scope">>, nextId: () => string): Write[] {
  return postings.map(({ sender, service, key, name, input }) => {
    const requestId = nextId();
    const text = JSON.stringify([sender, service, key, name, input]);
    if (!fitsUtf8(text, LIMITS.maxValueBytes)) {
      throw new TidegateError("transaction-too-large", `a message has at most ${LIMITS.maxValueBytes} bytes`);
    }
    return { op: "put", key: rowKey(requestId), text };
  });
}

export function deliveredWrite(requestId: string): Write {
  return { op: "delete", key: rowKey(requestId), text: "" };
}

/** The message that a write keeps, if it is such a write. */
export function messageOf({ op, key, text }: Write): Message | undefined {
  return op === "put" && key.startsWith(MESSAGES) ? decode(key, text) : undefined;
}

function decode(rowKeyText: string, text: string): Message {
  const [sender, service, key, name, input] = JSON.parse(text) as [string, string, string, string, string];
  return { requestId: rowKeyText.slice(-REQUEST_ID_LENGTH), sender, service, key, name, input };
}

/** Messages that are committed, folded or not, oldest first, some at a time. */
export function* storedMessages(state: StateStore): Generator<Message> {
  let from = MESSAGES;
  const to = afterPrefix(MESSAGES);
  for (;;) {
    const rows = state.range(MESSAGES, OUTBOX, from, to, PAGE, false);
    for (const [key, text] of rows) yield decode(key, text);
    const last = rows.at(-1)?.[0];
    if (last === undefined || rows.length < PAGE) return;
    from = `${last}\u0000`;
  }
}
const PAGE = 1_000;
