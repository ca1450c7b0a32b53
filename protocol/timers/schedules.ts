/** Recurring messages: each is a delayed message that leaves the next one behind when it fires, under the lock of the key that keeps it. */
import type { AppDefinition } from "../../sdk/app.ts";
import { nextTime, storedCron } from "../../sdk/cron.ts";
import { TidegateError } from "../../sdk/errors.ts";
import type { InternalContext } from "../execution/internal.ts";
import { LIMITS } from "../limits.ts";
import { encodeMessage } from "../outbox/message.ts";
import type { Letter } from "../outbox/posting.ts";
import type { EntityCopy } from "../state/entity-copy.ts";
import { dueAt, timerOf, WAITING } from "./timer.ts";

/** The collection that has, for every schedule of a key, its cron text and the message that waits. */
export const SCHEDULES = "schedules";

/** A schedule as one of its functions' inputs, JSON. */
export interface ScheduleRequest {
  /** Unique with its key; see {@link scheduleName}. */
  readonly name: string;
  readonly cron: string;
  readonly letter: Letter;
}

/** What a schedule is known by with the key that keeps it: those that the code declares apart from those that functions make. */
export function scheduleName(declared: boolean, service: string, name: string): string {
  return `${declared ? DECLARED : MADE}${service}/${name}`;
}
const DECLARED = "d";
const MADE = "s";

/** Whether the code declares the schedule of such a name. */
export function isDeclaredName(name: string | null): boolean {
  return name?.startsWith(DECLARED) ?? false;
}

interface Kept {
  readonly cron: string;
  /** Of the message that waits. */
  readonly id: string;
}

function keptOf(copy: EntityCopy, name: string): Kept | null {
  const text = copy.getEntry(SCHEDULES, name);
  if (text === null) return null;
  const [cron, id] = JSON.parse(text) as [string, string];
  return { cron, id };
}

/** A line that names the schedule stands before the message: no message begins with one. */
function scheduledText(name: string, letter: string): string {
  return `${JSON.stringify(name)}\n${letter}`;
}

/** The message of a waiting row, and the schedule that it belongs to, if any. */
export function waitingOf(text: string): { readonly schedule: string | null; readonly letter: string } {
  if (!text.startsWith('"')) return { schedule: null, letter: text };
  const end = text.indexOf("\n");
  return { schedule: JSON.parse(text.slice(0, end)) as string, letter: text.slice(end + 1) };
}

/** Has a message wait for the next time after now. */
function waitForNext({ transactions, activation }: InternalContext, name: string, cron: string, letter: string): void {
  const copy = transactions.copyOf(activation);
  const at = nextTime(storedCron(cron), activation.attempt.at);
  if (at === null) return;
  const id = transactions.owner.mail.nextDelayedId(at);
  copy.putEntry(WAITING, id, scheduledText(name, letter));
  copy.putEntry(SCHEDULES, name, JSON.stringify([cron, id]));
}

function forget(copy: EntityCopy, name: string, { id }: Kept): void {
  copy.putEntry(WAITING, id, null);
  copy.putEntry(SCHEDULES, name, null);
}

/** Whether a schedule that is kept is of this cron text, and this waits for it. */
function isSo(copy: EntityCopy, known: Kept, cron: string, waiting: string): boolean {
  return known.cron === cron && copy.getEntry(WAITING, known.id) === waiting;
}

/** Makes a schedule, in the place of one of the same name. What is so already is left alone: its time may be due and not fired yet. @throws TidegateError */
export function schedule(context: InternalContext, { name, cron, letter }: ScheduleRequest): void {
  const copy = context.transactions.copyOf(context.activation);
  const known = keptOf(copy, name);
  const text = encodeMessage(letter);
  if (known !== null && isSo(copy, known, cron, scheduledText(name, text))) return;
  if (known) forget(copy, name, known);
  const count = copy.range(SCHEDULES, { limit: LIMITS.maxSchedulesPerKey, reverse: false }).length;
  if (count >= LIMITS.maxSchedulesPerKey) {
    const detail = `a key has at most ${LIMITS.maxSchedulesPerKey} schedules`;
    throw new TidegateError("transaction-too-large", detail);
  }
  waitForNext(context, name, cron, text);
}

/** True when there was one of that name. */
export function unschedule({ transactions, activation }: InternalContext, name: string): boolean {
  const copy = transactions.copyOf(activation);
  const known = keptOf(copy, name);
  if (known) forget(copy, name, known);
  return known !== null;
}

/** Makes those that the code declares for a key what they are to be. What is so already is left alone. */
export function declare(context: InternalContext, requests: readonly ScheduleRequest[]): void {
  const { transactions, activation } = context;
  const copy = transactions.copyOf(activation);
  const wanted = new Set(requests.map(({ name }) => name));
  for (const [name] of copy.range(SCHEDULES, { limit: 2 * LIMITS.maxSchedulesPerKey, reverse: false })) {
    if (isDeclaredName(String(name)) && !wanted.has(String(name))) unschedule(context, String(name));
  }
  for (const { name, cron, letter } of requests) {
    const known = keptOf(copy, name);
    const text = encodeMessage(letter);
    if (known !== null && isSo(copy, known, cron, scheduledText(name, text))) continue;
    if (known !== null && isMissed(copy, known, cron, activation.attempt.at)) {
      copy.putEntry(WAITING, known.id, scheduledText(name, text));
      copy.putEntry(SCHEDULES, name, JSON.stringify([cron, known.id]));
      continue;
    }
    if (known) forget(copy, name, known);
    waitForNext(context, name, cron, text);
  }
}

/** Its time has come, has not fired yet, as behind a deploy, and is one of these, too: who changes the schedule does not take it back. */
function isMissed(copy: EntityCopy, { id }: Kept, cron: string, now: number): boolean {
  const at = dueAt(id);
  return at <= now && nextTime(storedCron(cron), at - 1) === at && copy.getEntry(WAITING, id) !== null;
}

/**
 * One that waited for a schedule is due: the next waits for the first time after now, however many were missed.
 * @returns the message to send; null when the schedule is another by now, or declared no more
 */
export function fireScheduled(context: InternalContext, name: string, id: string, letter: string): Letter | null {
  const { transactions, activation } = context;
  const copy = transactions.copyOf(activation);
  const known = keptOf(copy, name);
  if (known?.id !== id) return null;
  const isGone = isDeclaredName(name) && !isDeclared(transactions.app, activation.target.key, name);
  if (isGone) {
    copy.putEntry(SCHEDULES, name, null);
    return null;
  }
  waitForNext(context, name, known.cron, letter);
  return timerOf(letter);
}

function isDeclared(app: AppDefinition, key: string, name: string): boolean {
  return (
    declaredSchedules(app)
      .get(key)
      ?.some((request) => request.name === name) ?? false
  );
}

type ByKey = ReadonlyMap<string, readonly ScheduleRequest[]>;
const declared = new WeakMap<AppDefinition, ByKey>();

/** Schedules that an app's services declare, by the key that keeps them. */
export function declaredSchedules(app: AppDefinition): ByKey {
  const known = declared.get(app) ?? collect(app);
  declared.set(app, known);
  return known;
}

function collect(app: AppDefinition): ByKey {
  const byKey = new Map<string, ScheduleRequest[]>();
  for (const [service, { schedules = [] }] of app.services) {
    for (const { name, cron, key, function: target, input } of schedules) {
      const letter: Letter = { sender: "", service, key, name: target, input, coded: true };
      const requests = byKey.get(key) ?? [];
      byKey.set(key, requests);
      requests.push({ name: scheduleName(true, service, name), cron, letter });
    }
  }
  return byKey;
}
