/** Lost updates: two committed transactions that read one version of a key and then both wrote it (Berenson et al., SIGMOD 1995, P4). */
import type { Finding } from "./finding.ts";
import type { History, Key, Value } from "./history.ts";
import type { KeyVersions } from "./versions.ts";

export function checkUpdates(history: History, versions: readonly KeyVersions[]): Finding<"lost-update">[] {
  return versions.flatMap((of) => lostUpdates(history, of));
}

function lostUpdates(history: History, { key, order, prefixes }: KeyVersions): Finding<"lost-update">[] {
  const updates = new Map<number, Set<number>>();
  for (const { by, values } of prefixes) {
    if (!updatesVersion(history, by, key, values)) continue;
    const known = updates.get(values.length);
    if (known) known.add(by);
    else updates.set(values.length, new Set([by]));
  }
  return [...updates]
    .filter(([, by]) => by.size > 1)
    .map(([length, by]) => {
      const operations = Array.from(by, (each) => history[each]?.name ?? "nobody");
      const version = length === 0 ? "while it was empty" : `up to ${order[length - 1]}`;
      const explanation = `${operations.join(" and ")} all read ${key} ${version} and then appended to it: all but one miss an update`;
      return { anomaly: "lost-update" as const, explanation, operations };
    });
}

/** Its first step on the key read that version, and an append follows. Later reads may show its own appends. */
function updatesVersion(history: History, by: number, key: Key, version: readonly Value[]): boolean {
  const steps = history[by]?.micro.filter(([, at]) => at === key) ?? [];
  return steps[0]?.[2] === version && steps.some(([kind]) => kind === "append");
}
