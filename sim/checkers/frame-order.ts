/** Rows of one frame with one key run one after the other (docs/protocol.md, "Running a transaction"): the later sees what the earlier did. */
import type { Finding } from "./finding.ts";
import type { MicroOp } from "./history.ts";

/** A committed transaction; those of one `row group` came in this order in one frame, with one key. */
export interface Row {
  readonly name: string;
  readonly micro: readonly MicroOp[];
}

/** @param lists what every list holds in the end */
export function checkFrameOrder(
  groups: readonly (readonly Row[])[],
  lists: ReadonlyMap<string, readonly number[]>,
): Finding<"frame-order">[] {
  const places = new Map<string, number>();
  for (const list of lists.values()) for (const [at, value] of list.entries()) places.set(String(value), at);
  return groups.flatMap((rows) =>
    rows.flatMap((later, at) =>
      rows.slice(0, at).flatMap((earlier): Finding<"frame-order">[] => {
        const why = broken(earlier, later, places);
        if (why === null) return [];
        const explanation = `${later.name} comes after ${earlier.name} in its frame, but ${why}`;
        return [{ anomaly: "frame-order", explanation, operations: [earlier.name, later.name] }];
      }),
    ),
  );
}

function broken(earlier: Row, later: Row, places: ReadonlyMap<string, number>): string | null {
  for (const [op, list, value] of earlier.micro) {
    if (op !== "append") continue;
    for (const [other, at, seen] of later.micro) {
      if (at !== list) continue;
      if (other === "read" && seen?.includes(value) === false) return `does not see its ${value} in ${list}`;
      if (other === "append" && placeOf(places, seen) < placeOf(places, value)) return `stands before it in ${list}`;
    }
  }
  return null;
}

function placeOf(places: ReadonlyMap<string, number>, value: unknown): number {
  return places.get(String(value)) ?? Infinity;
}
