/** Which operators of a flow lose their state to another version of it. */

/** An operator with state, as a version of its flow has it. */
export interface KeepingOperator {
  readonly name: string;
  /** Of its definition: equal ones mean that it is the same. */
  readonly id: string;
  /** Operators with state whose results it is given, and told of when they are taken back. */
  readonly follows: readonly string[];
  /** It may begin anew while those go on: that something is taken back which it was never given changes nothing in it. */
  readonly joinsLate?: boolean;
}

/** An operator that cannot go on. */
export interface LostOperator {
  readonly name: string;
  /** It is what it was, but what follows it, or what it follows, begins anew: one would take back what the other was never given. */
  readonly with: string | null;
}

/**
 * Operators whose state another version cannot go on with: those that are gone or are defined otherwise, and with them those that they are tied to by
 * results that are taken back.
 *
 * @param kept the id of what is kept of each operator, by its name
 * @example
 * ```ts
 * const next = [{ name: "totals", id: "1", follows: [] }, { name: "spread", id: "2", follows: ["totals"] }];
 * lostOperators({ totals: "1" }, next); // [{ name: "totals", with: "spread" }]
 * ```
 */
export function lostOperators(
  kept: Readonly<Record<string, string>>,
  next: readonly KeepingOperator[],
): readonly LostOperator[] {
  const ids = new Map(next.map(({ name, id }) => [name, id]));
  const lost = new Map<string, string | null>();
  for (const [name, id] of Object.entries(kept)) if (ids.get(name) !== id) lost.set(name, null);
  // Every batch asks, and nothing has changed.
  if (lost.size === 0 && next.every(({ name }) => Object.hasOwn(kept, name))) return [];
  const goesOn = (name: string): boolean => Object.hasOwn(kept, name) && !lost.has(name);
  const ties = next.flatMap(({ name, follows, joinsLate = false }) =>
    follows.map((other) => ({ name, other, joinsLate })),
  );
  for (let before = -1; before !== lost.size;) {
    before = lost.size;
    for (const { name, other, joinsLate } of ties) {
      if (goesOn(name) === goesOn(other)) continue;
      if (goesOn(name)) lost.set(name, other);
      else if (!joinsLate) lost.set(other, name);
    }
  }
  return [...lost].map(([name, tied]) => ({ name, with: tied }));
}
