/**
 * Times in cron syntax, in UTC: minute, hour, day of month, month, day of week. A field is `*`, a number, a range `1-5`, each with a step as in
 * `*` `/15`, or several with commas between; months and days of the week have names too. When both days are restricted, either is enough.
 */

import { misconfigured } from "./errors.ts";

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly names?: readonly string[];
}
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: readonly Field[] = [
  { name: "minute", from: 0, to: 59 },
  { name: "hour", from: 0, to: 23 },
  { name: "day of month", from: 1, to: 31 },
  { name: "month", from: 1, to: 12, names: MONTHS },
  // 7 is Sunday as well.
  { name: "day of week", from: 0, to: 7, names: DAYS },
];
const SHORT: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "@yearly": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
  }),
);

/** What comes round most rarely, the 29th of February, may take eight years. */
const HORIZON_DAYS = 9 * 366;
const DAY_MS = 86_400_000;

export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Either of the two days is enough. */
  readonly eitherDay: boolean;
}

/** @throws TidegateError `misconfigured` for what is no such text, or a time that never comes */
export function parseCron(text: string): Cron {
  if (/-[^\s,]*-/.test(text))
    throw misconfigured(`a range has two ends in a cron text, not as in ${JSON.stringify(text)}`);
  return storedCron(text);
}

/** Of one that is stored: earlier code took ranges of more than two ends, and the first two were it. */
export function storedCron(text: string): Cron {
  const parts = (SHORT.get(text) ?? text).trim().split(/\s+/);
  if (parts.length !== FIELDS.length) throw misconfigured(`a cron text has five fields, not ${JSON.stringify(text)}`);
  const [minutes, hours, days, months, weekdays] = FIELDS.map((field, at) =>
    parseField(field, parts[at] as string, text),
  ) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  if (weekdays.has(7)) weekdays.add(0);
  const eitherDay = !(parts[2] as string).startsWith("*") && !(parts[4] as string).startsWith("*");
  const cron = { minutes, hours, days, months, weekdays, eitherDay };
  if (nextTime(cron, 0) === null) throw misconfigured(`the time of ${JSON.stringify(text)} never comes`);
  return cron;
}

function parseField(field: Field, text: string, whole: string): Set<number> {
  const values = new Set<number>();
  for (const part of text.toLowerCase().split(",")) {
    const [, range = "", step] = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(part) ?? [];
    const [low, high, isOne] = boundsOf(field, range);
    const by = step === undefined ? 1 : Number(step);
    if (low < field.from || high > field.to || !(low <= high) || by < 1) throw badField(field, whole);
    // `5/15` means from 5 on, as it does everywhere.
    const end = isOne && step !== undefined ? field.to : high;
    for (let value = low; value <= end; value += by) values.add(value);
  }
  return values;
}

function boundsOf(field: Field, range: string): [low: number, high: number, isOne: boolean] {
  if (range === "*") return [field.from, field.to, false];
  const [first = "", last] = range.split("-");
  const low = valueOf(field, first);
  return last === undefined ? [low, low, true] : [low, valueOf(field, last), false];
}

function valueOf({ names, from }: Field, text: string): number {
  const named = names?.indexOf(text) ?? -1;
  if (named >= 0) return named + from;
  return /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
}

function badField({ name, from, to }: Field, whole: string): Error {
  return misconfigured(`the ${name} of the cron text ${JSON.stringify(whole)} is from ${from} to ${to}`);
}

/** The first such minute after a time, both in ms since 1970; null when there is none. */
export function nextTime(cron: Cron, after: number): number | null {
  const first = Math.floor(after / 60_000) * 60_000 + 60_000;
  let day = Math.floor(first / DAY_MS) * DAY_MS;
  for (let n = 0; n < HORIZON_DAYS; n++, day += DAY_MS) {
    if (!hasDay(cron, new Date(day))) continue;
    const time = timeOfDay(cron, day, first);
    if (time !== null) return time;
  }
  return null;
}

function hasDay({ days, months, weekdays, eitherDay }: Cron, date: Date): boolean {
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const [isDay, isWeekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
  return eitherDay ? isDay || isWeekday : isDay && isWeekday;
}

/** The first one of a day that is not before a time. */
function timeOfDay({ hours, minutes }: Cron, day: number, from: number): number | null {
  for (let hour = 0; hour < 24; hour++) {
    if (!hours.has(hour)) continue;
    for (let minute = 0; minute < 60; minute++) {
      const time = day + (hour * 60 + minute) * 60_000;
      if (minutes.has(minute) && time >= from) return time;
    }
  }
  return null;
}
