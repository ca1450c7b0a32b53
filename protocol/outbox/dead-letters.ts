/** What is done to the dead letters of a service, under the lock of its list. The names of the functions are those that the edge asks for. */
import { comeAgain, TidegateError } from "../../sdk/errors.ts";
import { toJson } from "../../sdk/json.ts";
import { formatMessageId } from "../../sdk/message-id.ts";
import { FIRST_VERSION, type ServiceDefinition } from "../../sdk/service.ts";
import { decodeValue } from "../../sdk/values.ts";
import { INTERNAL_FN, INTERNAL_QUERY, type InternalContext } from "../execution/internal.ts";
import { LIMITS } from "../limits.ts";
import { parseStateKey } from "../state/state-key.ts";
import type { EntityCopy } from "../state/entity-copy.ts";
import { concernsErased, entriesFrom, ERASE, type ErasedFrom } from "./erased.ts";
import { BURY, DEAD, type DeadLetter, decodeDead, placeOf } from "./dead-letter.ts";

const LETTERS = "letters";
export const LIST = "list";
export const REDRIVE = "redrive";
export const REMOVE = "remove";

/** How many there are and their characters: the list is bounded. */
interface Totals {
  letters: number;
  units: number;
}

export const deadService: ServiceDefinition = {
  contract: {
    name: DEAD,
    functions: {
      [BURY]: INTERNAL_FN,
      [LIST]: INTERNAL_QUERY,
      [REDRIVE]: INTERNAL_FN,
      [REMOVE]: INTERNAL_FN,
      [ERASE]: INTERNAL_FN,
    },
  },
  state: (): Totals => ({ letters: 0, units: 0 }),
  collections: [LETTERS],
  allow: {},
  given: "machine",
  ...FIRST_VERSION,
  handlers: {
    [BURY]: (ctx, text) => bury(copyOf(ctx), text as string),
    [LIST]: (ctx, page) => list(copyOf(ctx), JSON.parse(page as string) as Page),
    [REDRIVE]: (ctx, place) => redrive(ctx as InternalContext, place as string),
    [REMOVE]: (ctx, place) => take(copyOf(ctx), place as string) !== null,
    [ERASE]: (ctx, text) => erase(copyOf(ctx), JSON.parse(text as string) as ErasedFrom),
  },
};

function copyOf(ctx: unknown): EntityCopy {
  const { transactions, activation } = ctx as InternalContext;
  return transactions.copyOf(activation);
}

/** @throws TidegateError `overloaded` when the list is full: the letter stays with its sender, and is brought again */
function bury(copy: EntityCopy, text: string): void {
  const totals = copy.value as Totals;
  if (totals.letters >= LIMITS.maxDeadLetters || totals.units + text.length > LIMITS.maxDeadUnits) {
    throw new TidegateError("overloaded", "the list of dead letters is full");
  }
  copy.value = { letters: totals.letters + 1, units: totals.units + text.length } satisfies Totals;
  copy.putEntry(LETTERS, placeOf(decodeDead(text)), text);
}

function take(copy: EntityCopy, place: string): DeadLetter | null {
  const text = copy.getEntry(LETTERS, place);
  if (text === null) return null;
  const { letters, units } = copy.value as Totals;
  copy.value = { letters: letters - 1, units: units - text.length } satisfies Totals;
  copy.putEntry(LETTERS, place, null);
  return decodeDead(text);
}

function erase(copy: EntityCopy, erased: ErasedFrom): void {
  for (const [place, text] of entriesFrom(copy, LETTERS, erased.from)) {
    if (concernsErased(decodeDead(text), erased)) take(copy, place);
  }
}

/** Sends it again, as another message, and forgets it: both or neither. */
function redrive({ transactions, activation }: InternalContext, place: string): boolean {
  if (transactions.owner.mail.isFull) {
    throw comeAgain("too many messages of this partition are not delivered yet");
  }
  const letter = take(transactions.copyOf(activation), place);
  if (letter === null) return false;
  const { sender, origin = sender, service, key, name, input, coded } = letter;
  const { attempt, scope, target } = activation;
  // It is kept with the list now: those of one list to one key keep their order.
  const first = origin === "" || origin === target.entity ? {} : { origin };
  (attempt.postings ??= []).push({ sender: target.entity, ...first, service, key, name, input, coded, scope });
  return true;
}

export interface Page {
  /** Place of the last one of the page before; empty for the first page. */
  readonly after: string;
  readonly limit: number;
}

/** A page as JSON shows it, oldest first. `next` is there when there may be more. */
function list(copy: EntityCopy, { after, limit }: Page): object {
  // Behind a place is above it and below every other: U+0000 is in none.
  const from = after === "" ? undefined : `${after}\u0000`;
  const rows = copy.range(LETTERS, { from, limit, reverse: false });
  const letters: object[] = [];
  let units = 0;
  for (const [place, text] of rows) {
    const shown = shownLetter(place as string, decodeDead(text));
    units += JSON.stringify(shown).length;
    if (letters.length > 0 && units > LIMITS.maxDeadPageUnits)
      return { letters, next: (letters.at(-1) as { id: string }).id };
    letters.push(shown);
  }
  return rows.length < limit ? { letters } : { letters, next: (letters.at(-1) as { id: string }).id };
}

function shownLetter(place: string, letter: DeadLetter): object {
  const { requestId, at, sender, origin = sender, service, key, name, tries } = letter;
  const keeper = sender === "" ? null : parseStateKey(sender);
  const keptBy = keeper?.key ?? key;
  const first = origin === "" ? null : parseStateKey(origin);
  const from = first === null || first.service === DEAD ? null : { service: first.service, key: first.key };
  const text = inputText(letter);
  const input = shownInput(text);
  return {
    id: `${place}-${service}`,
    message: requestId.startsWith("t") ? formatMessageId({ id: requestId, key: keptBy }) : requestId,
    from,
    service,
    key,
    function: name,
    ...(input === undefined ? { inputLength: text.length } : { input }),
    at,
    attempts: tries,
  };
}

/** One that is too long for a page, or holds what no answer can, as a number of 1e400, is told by its length alone. */
function shownInput(text: string): unknown {
  if (text.length > LIMITS.maxDeadInputUnits) return undefined;
  const input: unknown = JSON.parse(text);
  try {
    toJson(input);
    return input;
  } catch {
    return undefined;
  }
}

function inputText({ input, coded }: DeadLetter): string {
  if (input === "") return "null";
  if (!coded) return input;
  const value = decodeValue(input);
  return value === undefined ? "null" : toJson(value);
}
