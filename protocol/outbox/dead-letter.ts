/** Messages that failed for good, as the list of their target's service keeps them: a line of JSON, a line feed, and the input as it is. */
import { entityKey } from "../state/state-key.ts";
import { REQUEST_ID_LENGTH } from "../wire/invoke.ts";
import type { FailedTry } from "./ending.ts";
import type { Message } from "./message.ts";
import type { Letter } from "./posting.ts";

/** The internal service whose keys are names of services, each with the list of that one's. No app has one of such a name. */
export const DEAD = "#dead";
export const BURY = "bury";

export interface DeadLetter extends Letter {
  /** What it was known by. */
  readonly requestId: string;
  /** When it was given up; ms since 1970. */
  readonly at: number;
  readonly tries: readonly FailedTry[];
}

/**
 * The message that brings a dead one to the list of its service. It is kept where that one was: with its sender, or with its target where it came from
 * outside; the list may be elsewhere.
 */
export function burial(message: Message, tries: readonly FailedTry[], at: number): Letter {
  const { requestId, sender, origin, service, key, name, input, coded } = message;
  const first = origin === undefined ? [] : [origin];
  const head = JSON.stringify([requestId, at, sender, service, key, name, Number(coded), tries.map(packTry), ...first]);
  const keptBy = sender === "" ? entityKey(service, key) : sender;
  return { sender: keptBy, service: DEAD, key: service, name: BURY, input: `${head}\n${input}`, coded: false };
}

type Head = [string, number, string, string, string, string, number, PackedTry[], string | undefined];

export function decodeDead(text: string): DeadLetter {
  const end = text.indexOf("\n");
  const [requestId, at, sender, service, key, name, coded, tries, origin] = JSON.parse(text.slice(0, end)) as Head;
  const letter = { requestId, at, sender, service, key, name, input: text.slice(end + 1), coded: coded === 1 };
  return { ...letter, tries: tries.map(unpackTry), ...(origin === undefined ? {} : { origin }) };
}

export type PackedTry = readonly [at: number, status: number, type: string, error: string];

export function packTry({ at, status, type, error }: FailedTry): PackedTry {
  return [at, status, type, error];
}

export function unpackTry([at, status, type, error]: PackedTry): FailedTry {
  return { at, status, type, error };
}

const AT_DIGITS = 11;

/** Where it is in the list: in the order of their ends. */
export function placeOf({ at, requestId }: Pick<DeadLetter, "at" | "requestId">): string {
  return at.toString(16).padStart(AT_DIGITS, "0") + requestId;
}
export const PLACE_LENGTH = AT_DIGITS + REQUEST_ID_LENGTH;
