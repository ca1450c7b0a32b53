/**
 * An effect as it is kept: a one-way message whose target is the outside world. So it is written with its transaction, moves, is backed up and
 * erased like any message, and is deleted in the turn that keeps the message of its outcome.
 */
import type { Outcome } from "../../sdk/outcome.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";
import { LIMITS } from "../limits.ts";
import type { Message } from "../outbox/message.ts";
import type { Letter } from "../outbox/posting.ts";
import { fitsUtf8 } from "../../sdk/utf8.ts";

/** In the place of a service: no app has one of this name. */
const OUTSIDE = "#effect";

/** Whom to tell. */
export interface Addressee {
  readonly service: string;
  readonly key: string;
  readonly name: string;
  readonly about?: string;
}

/** What is kept of an effect beside its name and input. */
export interface Work {
  readonly to: Addressee | null;
  /** `ctx.now()` of its transaction. */
  readonly at: number;
  /** Attempts that have failed. */
  readonly failures: number;
  /** The next attempt begins no earlier; ms since 1970. */
  readonly notBefore: number;
  /** Only so many of one share run at a time; absent where all of a name are one. */
  readonly share?: string;
  /** By which it is known outside, in every attempt; absent in what code that knew of none has kept, which goes by its id. */
  readonly key?: string;
  /** An attempt was begun: if nobody knows of its end, it was lost with who began it. */
  readonly begun?: true;
}

/** One attempt, for whoever runs it. */
export interface OutsideCall {
  /** Of the effect, within its domain. */
  readonly id: string;
  /** Its idempotency key: the same in every attempt, and of no other effect anywhere. */
  readonly key: string;
  readonly name: string;
  /** State-codec text; empty for none. */
  readonly input: string;
  /** From 1. */
  readonly attempt: number;
  readonly at: number;
}

/** An attempt as it comes to who runs it: code from before effects had keys sends none, and the id is the key. */
export type GivenCall = Omit<OutsideCall, "key"> & Partial<Pick<OutsideCall, "key">>;

/** How an attempt ended. */
export type OutsideEnd =
  /** State-codec text. */
  | { readonly ok: true; readonly value: string }
  /** `final`: another attempt would fail alike. */
  | { readonly ok: false; readonly final: boolean; readonly type: string; readonly message: string };

export function isOutside({ service }: Pick<Letter, "service">): boolean {
  return service === OUTSIDE;
}

/** @param sender state-key prefix of who asks for it, with which it is kept */
export function outsideLetter(sender: string, key: string, name: string, work: Work, input: string): Letter {
  return { sender, service: OUTSIDE, key, name, input: `${JSON.stringify(work)}\n${input}`, coded: true };
}

export function workOf({ input }: Pick<Letter, "input">): Work & { readonly input: string } {
  const end = input.indexOf("\n");
  return { ...(JSON.parse(input.slice(0, end)) as Work), input: input.slice(end + 1) };
}

/** What of it stays as it was asked for, where it is there. */
export function named(share: string | undefined, key: string | undefined): Pick<Work, "share" | "key"> {
  return { ...(share === undefined ? {} : { share }), ...(key === undefined ? {} : { key }) };
}

/** The message with what has become of it. */
export function withWork(message: Message, work: Omit<Work, "to" | "at" | "share" | "key">): Message {
  const { to, at, share, key, input } = workOf(message);
  const { failures, notBefore, begun } = work;
  const kept = { to, at, failures, notBefore, ...named(share, key), ...(begun ? { begun } : {}) };
  const letter = outsideLetter(message.sender, message.key, message.name, kept, input);
  return { ...message, input: letter.input };
}

/** Id of the message that tells of an effect's end: derived, so that it could be told twice and would still arrive once. */
export function outcomeId(effectId: string): string {
  return `f${effectId.slice(1)}`;
}

/** Such a message is a channel by itself, as effects have no order. */
export function isOutcomeId(requestId: string): boolean {
  return requestId.startsWith("f");
}

/** The message that tells how it ended. */
export function outcomeLetter(sender: string, to: Addressee, end: OutsideEnd): Letter {
  return { sender, service: to.service, key: to.key, name: to.name, coded: true, input: outcomeText(to, end) };
}

function outcomeText({ about }: Addressee, end: OutsideEnd): string {
  const told = about === undefined ? {} : { about };
  const failed = (type: string, message: string): string =>
    encodeValue({ ok: false, error: { type, message }, ...told });
  if (!end.ok) return failed(end.type, end.message);
  const text = resultText(end.value, told);
  if (text === null) return failed("invalid-output", "the result is nested too deeply to be told");
  if (fitsUtf8(text, LIMITS.maxMessageBytes)) return text;
  return failed("transaction-too-large", `the result has more than ${LIMITS.maxMessageBytes} bytes`);
}

/** Null for a result that can be stored by itself alone: to be told it stands one level deeper, which may be one too many. */
function resultText(coded: string, told: { readonly about?: string }): string | null {
  const value = decodeValue(coded);
  try {
    return encodeValue({ ok: true, ...(value === undefined ? {} : { value }), ...told } as Outcome);
  } catch {
    return null;
  }
}
