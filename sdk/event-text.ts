/** Events as the JSON that a stream takes: made from values by the names of fields. */

import type { EventColumn } from "./stream.ts";

/** The event as its JSON is built: values put where the paths of their fields say. What the stream does not declare is left out. */
export function byPath(
  columns: readonly EventColumn[],
  event: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const whole = bare();
  for (const { name, path = [name] } of columns) {
    let at = whole;
    for (const step of path.slice(0, -1)) at = (at[step] ??= bare()) as Record<string, unknown>;
    at[path.at(-1) as string] = event[name];
  }
  return whole;
}

/** Without a prototype a member may have any name, and is told from a value that somebody gave. */
function bare(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

/** JSON text of an event. Written member by member, since `JSON.stringify` refuses bigint and would round a number made from it. */
export function eventText(event: object): string {
  const members = Object.entries(event).flatMap(([name, value]: [string, unknown]) =>
    value === undefined ? [] : [`${JSON.stringify(name)}:${valueText(value)}`],
  );
  return `{${members.join()}}`;
}

function valueText(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null) return eventText(value);
  return JSON.stringify(value);
}
