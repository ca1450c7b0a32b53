/**
 * Erasing: a flow's dead letters of events that an end would have given to the erased key. They lie under the flow's own key, whatever the code makes of
 * that by now: the letters go by their text alone.
 */
import { INTERNAL_FN, type InternalContext } from "../execution/internal.ts";
import { entriesFrom, ERASE, type Erased, type ErasedFrom } from "../outbox/erased.ts";
import { entityKey, parseStateKey } from "../state/state-key.ts";
import type { EntityCopy } from "../state/entity-copy.ts";
import type { Target } from "../transaction/attempt.ts";
import { FIRST_VERSION, type ServiceDefinition } from "../../sdk/service.ts";
import { jsonMembers } from "./json-members.ts";
import { hasLine, withoutLines } from "./lines.ts";
import { DEAD } from "./log.ts";

/** Characters, reached before the last entry, that one transaction writes anew. */
const ERASED_UNITS = 1024 * 1024;

/** Whether what is stored of a flow is an entry of dead letters with one to the erased key. */
export function hasErasedLetter(stateKey: string, text: string, erased: Erased): boolean {
  return parseStateKey(stateKey).collection === DEAD && hasLine(text, isErased(erased));
}

/** Only ends that call a service give a letter a key, and they are called by the service's name, a dot, and the function's. */
function isErased({ service, key }: Erased): (line: string) => boolean {
  const known = JSON.stringify(key);
  return (line) => {
    // Nearly all are of others.
    if (!line.includes(known)) return false;
    const letter = jsonMembers(line);
    const sink = JSON.parse(letter.get("sink") ?? "null") as string | null;
    return letter.get("key") === known && sink?.startsWith(`${service}.`) === true;
  };
}

/** A function of every flow's own key that only the engine asks for. The flow may be one that the app has no more. */
export function eraseLettersTarget(service: string, key: string): Target {
  const definition: ServiceDefinition = {
    contract: { name: service, functions: { [ERASE]: INTERNAL_FN } },
    state: undefined,
    collections: [DEAD],
    allow: {},
    given: "machine",
    ...FIRST_VERSION,
    handlers: { [ERASE]: (ctx, text) => erase(ctx as InternalContext, JSON.parse(text as string) as ErasedFrom) },
  };
  return { service: definition, name: ERASE, contract: INTERNAL_FN, key, entity: entityKey(service, key) };
}

function erase({ transactions, activation }: InternalContext, erased: ErasedFrom): void {
  const copy = transactions.copyOf(activation);
  const isGone = isErased(erased);
  let units = 0;
  for (const [entry, text] of entriesFrom(copy, DEAD, erased.from)) {
    if (!hasLine(text, isGone)) continue;
    const left = withoutLines(text, isGone, () => isLast(copy, entry));
    copy.putEntry(DEAD, entry, left);
    if ((units += left?.length ?? 0) > ERASED_UNITS) return;
  }
}

/** It says where numbers go on, and stays. */
function isLast(copy: EntityCopy, entry: string): boolean {
  return copy.range(DEAD, { from: `${entry}\u0000`, limit: 1, reverse: false }).length === 0;
}
