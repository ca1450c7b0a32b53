/** What is done to delayed messages under the lock of the key that keeps them: firing those that are due, and cancelling one. */
import type { FunctionContract } from "../../sdk/contract.ts";
import type { Schema } from "../../sdk/schema.ts";
import type { ServiceDefinition } from "../../sdk/service.ts";
import { LIMITS } from "../limits.ts";
import type { EntityCopy } from "../state/entity-copy.ts";
import type { Activation } from "../transaction/attempt.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { afterDue, timerOf, TIMERS, WAITING } from "./timer.ts";

/** What a function of the engine's own is given as its context. */
export interface InternalContext {
  readonly transactions: Transactions;
  readonly activation: Activation;
}

export const FIRE = "fire";
export const CANCEL = "cancel";

const anything: Schema = { "~standard": { version: 1, vendor: "tidegate", validate: (value) => ({ value }) } };
export const INTERNAL_FN: FunctionContract = { kind: "fn", input: anything, output: anything, refusals: {} };

/** Its functions are called by the engine, never by clients or user code. */
export const timersService: ServiceDefinition = {
  contract: { name: TIMERS, functions: { [FIRE]: INTERNAL_FN, [CANCEL]: INTERNAL_FN } },
  state: undefined,
  collections: [WAITING],
  allow: {},
  handlers: {
    [FIRE]: (ctx) => fire(ctx as InternalContext),
    [CANCEL]: (ctx, id) => cancel(ctx as InternalContext, id as string),
  },
};

/** Makes messages of those whose time has come, in its order: once, since this is the transaction that forgets them. */
function fire({ transactions, activation }: InternalContext): void {
  const { attempt, scope } = activation;
  const copy = transactions.copyOf(activation);
  const to = afterDue(attempt.at);
  const due = copy.range(WAITING, { to, limit: LIMITS.maxFiredTogether, reverse: false });
  let units = 0;
  for (const [id, text] of due) {
    units += text.length;
    // The first goes, however large it is.
    if (units > LIMITS.maxFiredUnits && units > text.length) return;
    copy.putEntry(WAITING, id, null);
    (attempt.postings ??= []).push({ ...timerOf(text), id: id as string, scope });
  }
}

/** True when the message was waiting still: then it is forgotten, and never fires. */
function cancel({ transactions, activation }: InternalContext, id: string): boolean {
  const copy = transactions.copyOf(activation);
  if (!isWaiting(copy, activation, id)) return false;
  copy.putEntry(WAITING, id, null);
  return true;
}

function isWaiting(copy: EntityCopy, { attempt }: Activation, id: string): boolean {
  if (copy.getEntry(WAITING, id) !== null) return true;
  // This transaction itself may have sent it, and not cancelled it yet.
  const isSent = attempt.postings?.some((posting) => posting.id === id && posting.keptBy !== undefined) ?? false;
  return isSent && !copy.hasWritten(WAITING, id);
}
