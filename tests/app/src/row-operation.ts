/** Operations on a small table of numbered rows, as data: the app runs them under locks, the tests' model on a plain map. */

/** Which rows: all, those of a value, or those whose value a number divides. */
export type Predicate = { readonly is: number } | { readonly divisibleBy: number } | "all";

export type RowOperation =
  | { readonly op: "read"; readonly row: number }
  | { readonly op: "write"; readonly row: number; readonly value: number }
  /** Changes a row that is there; does nothing for one that is not. */
  | { readonly op: "increase"; readonly row: number; readonly by: number }
  | { readonly op: "select"; readonly where: Predicate }
  | { readonly op: "delete"; readonly where: Predicate }
  | { readonly op: "commit" }
  | { readonly op: "abort" };

/** Rows by number. */
export type Rows = ReadonlyArray<readonly [row: number, value: number]>;
/** What one operation showed: a value, `null` for a row that is not there, rows, or nothing. */
export type RowsSeen = number | null | Rows;

export function matches(where: Predicate, value: number): boolean {
  if (where === "all") return true;
  return "is" in where ? value === where.is : value % where.divisibleBy === 0;
}
