/** What is done to delayed messages under the lock of the key that keeps them: firing those that are due, and cancelling one. */
import { FIRST_VERSION, type ServiceDefinition } from "../../sdk/service.ts";
import { INTERNAL_FN, type InternalContext } from "../execution/internal.ts";
import { LIMITS } from "../limits.ts";
import { concernsErased, entriesFrom, ERASE, type ErasedFrom } from "../outbox/erased.ts";
import type { EntityCopy } from "../state/entity-copy.ts";
import type { Activation } from "../transaction/attempt.ts";
import {
  declare,
  fireScheduled,
  isDeclaredName,
  schedule,
  type ScheduleRequest,
  SCHEDULES,
  unschedule,
  waitingOf,
} from "./schedules.ts";
import { afterDue, timerOf, TIMERS, WAITING } from "./timer.ts";

export const FIRE = "fire";
export const CANCEL = "cancel";
export const SCHEDULE = "schedule";
export const UNSCHEDULE = "unschedule";
export const DECLARE = "declare";

/** Its functions are called by the engine, never by clients or user code. */
export const timersService: ServiceDefinition = {
  contract: {
    name: TIMERS,
    functions: Object.fromEntries(
      [FIRE, CANCEL, SCHEDULE, UNSCHEDULE, DECLARE, ERASE].map((name) => [name, INTERNAL_FN]),
    ),
  },
  state: undefined,
  collections: [WAITING, SCHEDULES],
  allow: {},
  given: "machine",
  ...FIRST_VERSION,
  handlers: {
    [FIRE]: (ctx) => fire(ctx as InternalContext),
    [CANCEL]: (ctx, id) => cancel(ctx as InternalContext, id as string),
    [SCHEDULE]: (ctx, text) => schedule(ctx as InternalContext, JSON.parse(text as string) as ScheduleRequest),
    [UNSCHEDULE]: (ctx, name) => unschedule(ctx as InternalContext, name as string),
    [DECLARE]: (ctx, text) => declare(ctx as InternalContext, JSON.parse(text as string) as ScheduleRequest[]),
    [ERASE]: (ctx, text) => erase(ctx as InternalContext, JSON.parse(text as string) as ErasedFrom),
  },
};

/** Deletes what an erased key has sent or was to get, and its schedules with them, but for those of the code, which say nothing of what the key held. */
function erase({ transactions, activation }: InternalContext, erased: ErasedFrom): void {
  const copy = transactions.copyOf(activation);
  for (const [id, text] of entriesFrom(copy, WAITING, erased.from)) {
    const { schedule: name, letter } = waitingOf(text);
    if (isDeclaredName(name) || !concernsErased(timerOf(letter), erased)) continue;
    copy.putEntry(WAITING, id, null);
    if (name !== null) copy.putEntry(SCHEDULES, name, null);
  }
}

/** Makes messages of those whose time has come, in its order: once, since this is the transaction that forgets them. */
function fire(context: InternalContext): void {
  const { transactions, activation } = context;
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
    const { schedule: name, letter } = waitingOf(text);
    const fired = name === null ? timerOf(letter) : fireScheduled(context, name, id as string, letter);
    if (fired) (attempt.postings ??= []).push({ ...fired, id: id as string, scope });
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
