/** The objects that the columns' paths lead through, checked and numbered in one place for the kernels and their twins. */
import { MAX_EVENT_OBJECTS } from "./limits.ts";
import type { EventColumn } from "./types.ts";

export interface EventTree {
  /** Objects in events that hold columns, each after the one that it is in; the first is number 1, and 0 is the event. */
  readonly objects: ReadonlyArray<{ readonly scope: number; readonly name: string }>;
  /** Of each column: the number of the object that it is a member of, and the member's name. */
  readonly members: ReadonlyArray<{ readonly scope: number; readonly name: string }>;
}

/** The way to a column's value. */
export function pathOf({ name, path }: EventColumn): readonly string[] {
  return path ?? [name];
}

/** Numbers the objects of these columns. @param outer makes the way in the envelope from the way in the event. @throws RangeError `bad-columns: …` */
export function eventTree(
  columns: readonly EventColumn[],
  outer: (path: readonly string[]) => readonly string[] = (path) => path,
): EventTree {
  const objects: { scope: number; name: string }[] = [];
  /** Number of an object, or -1 for a column, by its way. */
  const taken = new Map<string, number>([["[]", 0]]);
  const members = columns.map((column) => {
    const path = outer(pathOf(column));
    let scope = 0;
    for (let length = 1; length < path.length; length++) {
      const way = JSON.stringify(path.slice(0, length));
      let next = taken.get(way);
      if (next === -1) throw badPath(column, "leads through the value of another column");
      if (next === undefined) {
        if (objects.length === MAX_EVENT_OBJECTS)
          throw badPath(column, `leads to more than ${MAX_EVENT_OBJECTS} objects`);
        objects.push({ scope, name: path[length - 1] as string });
        next = objects.length;
        taken.set(way, next);
      }
      scope = next;
    }
    const way = JSON.stringify(path);
    if (taken.has(way)) throw badPath(column, "is that of another column, or of an object with columns");
    taken.set(way, -1);
    return { scope, name: path.at(-1) as string };
  });
  return { objects, members };
}

function badPath(column: EventColumn, detail: string): RangeError {
  return new RangeError(`bad-columns: the path of "${column.name}" ${detail}`);
}
