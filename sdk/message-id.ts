/** Ids of messages: opaque text to users. That of a delayed one says who keeps it, so that whoever wants to cancel it finds it. */

import { TidegateError } from "./errors.ts";
import { fromBase64Url, toBase64Url } from "./base64.ts";
import { checkKey } from "./keys.ts";

/** Length of what identifies a message within its partition, which is also a request id. */
export const MESSAGE_ID_LENGTH = 32;

/** A message that is kept until its time comes. */
export interface DelayedId {
  /** What identifies it among those of its key. */
  readonly id: string;
  /** Key whose partition keeps it. */
  readonly key: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const DELAYED = /^(t[0-9a-f]{31})-(.+)$/;
const SENT_AT_ONCE = /^m[0-9a-f]{31}$/;

export function formatMessageId({ id, key }: DelayedId): string {
  return `${id}-${toBase64Url(encoder.encode(key))}`;
}

/**
 * Null for the id of a message that was sent without delay: that cannot be cancelled.
 * @throws TidegateError `unknown-message` for what is no message's id
 */
export function parseMessageId(text: unknown): DelayedId | null {
  if (typeof text !== "string") throw unknown();
  if (SENT_AT_ONCE.test(text)) return null;
  const [, id, encoded] = DELAYED.exec(text) ?? [];
  const bytes = encoded === undefined ? null : fromBase64Url(encoded);
  if (id === undefined || bytes === null) throw unknown();
  try {
    const key = decoder.decode(bytes);
    checkKey(key);
    return { id, key };
  } catch {
    throw unknown();
  }
}

function unknown(): TidegateError {
  return new TidegateError("unknown-message", "this is not the id of a message");
}
