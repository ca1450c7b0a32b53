/** What a transaction sees of itself: it reads what it read and appended before, and nothing that it appends later (Elle, section 4.2: internal consistency). */
import type { Finding } from "./finding.ts";
import { formatValues, type History, type Key, type Operation, type Value } from "./history.ts";

export type InternalAnomaly = "internal" | "future-read";

/** What a transaction knows of a key: all of the list, or only how it ends. */
interface Known {
  readonly whole: boolean;
  readonly values: readonly Value[];
}

export function checkInternal(history: History): Finding<InternalAnomaly>[] {
  return history
    .filter(({ outcome }) => outcome === "ok")
    .flatMap((operation) => [...unexpectedReads(operation), ...futureReads(operation)]);
}

function unexpectedReads({ name, micro }: Operation): Finding<InternalAnomaly>[] {
  const known = new Map<Key, Known>();
  const findings: Finding<InternalAnomaly>[] = [];
  for (const [kind, key, what] of micro) {
    const before = known.get(key);
    if (kind === "append") known.set(key, { whole: before?.whole ?? false, values: [...(before?.values ?? []), what] });
    else if (what !== null) {
      if (before && !agrees(what, before)) findings.push(unexpected(name, key, what, before));
      known.set(key, { whole: true, values: what });
    }
  }
  return findings;
}

function agrees(read: readonly Value[], { whole, values }: Known): boolean {
  const others = read.length - values.length;
  return (whole ? others === 0 : others >= 0) && values.every((value, index) => value === read[others + index]);
}

function unexpected(name: string, key: Key, read: readonly Value[], known: Known): Finding<InternalAnomaly> {
  const expected = `${known.whole ? "" : "a list that ends with "}${formatValues(known.values)}`;
  const explanation = `${name} read ${key} ${formatValues(read)} where its own steps before leave ${expected}`;
  return { anomaly: "internal", explanation, operations: [name] };
}

function futureReads({ name, micro }: Operation): Finding<InternalAnomaly>[] {
  const last = micro.findLastIndex(([kind]) => kind === "append");
  return micro.flatMap((step, index) => {
    if (step[0] === "append") return [];
    const [, key, values] = step;
    const seen = micro.slice(index + 1, last + 1).find(([kind, to, what]) => {
      return kind === "append" && to === key && values?.includes(what) === true;
    });
    if (!seen) return [];
    const explanation = `${name} read ${key} ${formatValues(values)} before it appended ${String(seen[2])} itself`;
    return [{ anomaly: "future-read" as const, explanation, operations: [name] }];
  });
}
