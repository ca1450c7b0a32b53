/**
 * Whether what a tried call has written can be stored. It is looked at when the call ends, wherever its keys are: so it fails alone, and not the
 * transaction at its finish. Keys on which functions still run that have called into it are looked at when those end.
 */
import { messageWrites } from "../outbox/message.ts";
import type { CopyMark, CopySnapshot, EntityCopy, Kept } from "../state/entity-copy.ts";
import type { Write } from "../state/store.ts";
import { type Activation, type Attempt, isTried, isWithin, type Scope, type Use } from "./attempt.ts";
import { type Failure, failureOf } from "./failure.ts";
import { usersOf } from "./uses.ts";
import { assertFit } from "./writes.ts";
import { countOf, NO_ID, postedBytes, Written } from "./written.ts";

/** What is wrong with what functions of a tried call made of a key of their caller: with nothing else, so that it is theirs. */
export function changeFault(copy: EntityCopy, { before, after }: Kept): Failure | null {
  try {
    // It has no text, and says why.
    if (after === null) copy.valueText();
    else if (fits(rowsOf(copy.entity, before))) assertFit(rowsOf(copy.entity, after));
    return null;
  } catch (error) {
    return failureOf(error);
  }
}

/** Of a tried call that ends well, or of a part of it that was called from elsewhere to where the root is. Other parts are looked at when they answer. */
export function triedFault(activation: Activation): Failure | null {
  const { attempt, scope, caller } = activation;
  const isPart = caller !== null && attempt.root !== null && scope.activation !== null;
  if (!isTried(activation) && !isPart) return null;
  if (scope.snapshots.size === 0 && attempt.postings === null) return null;
  try {
    for (const entity of scope.snapshots.keys()) {
      const use = attempt.uses.get(entity);
      if (use?.copy && isFree(use, entity, activation)) use.copy.settle();
    }
    assertScopeFits(activation);
    return null;
  } catch (error) {
    return failureOf(error);
  }
}

/** Nobody runs on it, but for the one that ends just now. */
function isFree(use: Use, entity: string, ending: Activation): boolean {
  return usersOf(use, entity).every((user) => user === ending);
}

/** What was too much before is no fault of the tried call. @throws TidegateError `transaction-too-large` */
function assertScopeFits(ending: Activation): void {
  const { attempt, scope } = ending;
  const written = attempt.root === null ? attempt.written : countDue(attempt, ending);
  if (written === null || !written.isLarge(attempt.posted)) return;
  // What is too much without this one may be another tried call's, which is yet to end: it is looked at then.
  if (fits(writesOf(ending, scope))) assertFit(writesOf(ending, null));
}

/** Each key once for each function that has ended on it, and only since the first tried call has ended. */
function countDue(attempt: Attempt, ending: Activation): Written {
  const isFirst = attempt.written === null;
  const written = (attempt.written ??= new Written());
  if (ending.remote === null) written.due.add(ending.target.entity);
  const entities = isFirst ? [...attempt.uses.keys()] : [...written.due];
  written.due.clear();
  for (const entity of entities) {
    const use = attempt.uses.get(entity);
    if (use && isFree(use, entity, ending) && !isCounted(written, entity, use)) written.due.add(entity);
  }
  const { postings } = attempt;
  for (; written.messages < (postings?.length ?? 0); written.messages++)
    attempt.posted += postedBytes(postings?.[written.messages] as NonNullable<typeof postings>[number]);
  return written;
}

/** A large state may have no text, and nobody has looked since its function ended. That is its fault, and not that of the tried call: it may be set back yet. */
function isCounted(written: Written, entity: string, use: Use): boolean {
  try {
    countOf(written, entity, use);
    return true;
  } catch {
    return false;
  }
}

/** What is written under keys on which nobody runs, and messages; as it was before a scope, if one is given. */
function writesOf(ending: Activation, without: Scope | null): Write[] {
  const { uses, postings } = ending.attempt;
  const sent = without === null ? postings : postings?.filter((posting) => !isWithin(posting.scope, without));
  const writes: Write[] = messageWrites(sent ?? [], () => NO_ID);
  for (const [entity, use] of uses) {
    if (use.copy === null || !isFree(use, entity, ending)) continue;
    const kept = without?.snapshots.get(entity)?.[0];
    writes.push(...(kept === undefined ? use.copy.writes() : rowsOf(entity, kept.before)));
  }
  return writes;
}

/** What a copy as it was then would write, but for some bytes. */
function rowsOf(entity: string, { value, loaded, entries }: CopySnapshot | CopyMark): Write[] {
  const writes: Write[] = [];
  if (value !== undefined && value !== loaded) writes.push({ op: "put", key: entity, text: value });
  for (const [key, text] of entries) writes.push({ op: "put", key, text: text ?? "" });
  return writes;
}

function fits(writes: readonly Write[]): boolean {
  try {
    assertFit(writes);
    return true;
  } catch {
    return false;
  }
}
