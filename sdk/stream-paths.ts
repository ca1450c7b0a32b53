/** Where the fields of a stream are in the JSON of its events. */

import { misconfigured } from "./errors.ts";
import { EVENT_OBJECTS_MAX } from "./limits.ts";
import type { EventColumn } from "./stream.ts";

/** Members that lead to a column's value. */
export function pathOf({ name, path }: EventColumn): readonly string[] {
  return path ?? [name];
}

/** @throws TidegateError `misconfigured` where two fields would be in one place, or one in what is another's value */
export function checkPaths(stream: string, columns: readonly EventColumn[]): void {
  const taken = new Map<string, "object" | "value">();
  let objects = 0;
  for (const column of columns) {
    const path = pathOf(column);
    const of = `the path of field "${column.name}" of stream "${stream}"`;
    if (path.length === 0 || !path.every((name) => typeof name === "string" && name !== "" && name.isWellFormed()))
      throw misconfigured(`${of} must name members, such as "customer.city"`);
    for (let length = 1; length < path.length; length++) {
      const way = JSON.stringify(path.slice(0, length));
      const known = taken.get(way);
      if (known === "value") throw misconfigured(`${of} leads through the value of another field`);
      if (known === undefined && ++objects > EVENT_OBJECTS_MAX)
        throw misconfigured(`the fields of stream "${stream}" are in more than ${EVENT_OBJECTS_MAX} objects`);
      taken.set(way, "object");
    }
    const way = JSON.stringify(path);
    if (taken.has(way)) throw misconfigured(`${of} is that of another field, or of an object with fields`);
    taken.set(way, "value");
  }
}
