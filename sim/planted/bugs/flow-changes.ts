/** Mistakes with flows that are deployed in another version while they run. */
import type { PlantedBug } from "../planted.ts";

const CHANGES = "protocol/flows/changes.ts";
const SHARD = "protocol/flows/shard.ts";

export const CHANGING: readonly PlantedBug[] = [
  {
    name: "dropped-state-stays",
    what: "What a new version of a flow drops is not deleted, and is there when the operator is again what it was.",
    rule: "invariant 1",
    file: "protocol/flows/driver.ts",
    find: 'const gone = dropped.map((key) => ctx.ask(SHARD, key, "clear", { head: null, rows: [] }));',
    replace: "const gone = dropped.map(() => Promise.resolve());",
  },
  {
    name: "operator-by-place",
    what: "A partition that has another version of a flow runs what stands there at the same place.",
    rule: "invariant 8",
    file: SHARD,
    find: 'if (step?.kind !== "vertex" || step.id !== id) throw otherVersion(flow);\n    return step;',
    replace: 'if (step?.kind !== "vertex") throw otherVersion(flow);\n    void id;\n    return step;',
  },
  {
    name: "view-by-place",
    what: "A partition that has another version of a flow shows the view that stands there at the same place.",
    rule: "invariant 8",
    file: SHARD,
    find: "#view({ flow, view, name, id }: ReadHead): ViewProgram {",
    replace: "#view({ flow, view }: ReadHead, name?: string, id?: string): ViewProgram {",
  },
  {
    name: "sources-by-place",
    what: "In a version that has its sources in another order each goes on with the time of the one before it at its place.",
    rule: "event time",
    file: CHANGES,
    find: "  if (sources.every(isOwn)) return;\n",
    replace: "  if (sources.length > 0) return;\n",
  },
  {
    name: "flow-follows-its-first-stream",
    what: "A version whose first stream is another begins the flow anew there.",
    rule: "invariant 1",
    file: "protocol/flows/place.ts",
    find: "    if (place === ctx.key) return run(ctx, input);\n",
    replace: "    if (place !== undefined) return run(ctx, input);\n",
  },
  {
    name: "unnamed-state-dropped",
    what: "A version that would lose state takes events although it does not name that.",
    rule: "invariant 1",
    file: CHANGES,
    find: "const unnamed = lost.filter(({ name }) => !program.definition.drops.includes(name));",
    replace: "const unnamed = lost.filter(({ name }) => name === '');",
  },
  {
    name: "changed-flow-taken-for-a-no",
    what: "An emitted event that a flow does not take because it was changed counts as delivered.",
    rule: "invariant 5",
    file: "protocol/outbox/ending.ts",
    find: "if (status === OVERLOADED || isOfChangedFlow(status, body)) return LATER;",
    replace: "if (status === OVERLOADED) return LATER;\n  if (isOfChangedFlow(status, body)) return DELIVERED;",
  },
  {
    name: "kernel-unnamed-lost",
    what: "What the window kernel has of a flow that was changed is dropped, though nobody names it.",
    rule: "invariant 1",
    file: "protocol/partition/flows.ts",
    find: "for (const [flow, runtime] of known) requireNamed(flow, kernelDrops(flow, runtime, committed));",
    replace: "void requireNamed;",
  },
  {
    name: "kernel-state-taken",
    what: "The window kernel goes on with the state of a flow that counted otherwise.",
    rule: "invariant 1",
    file: "protocol/partition/kernel-flows.ts",
    find: "...(runtime.isStale ? [name] : [])",
    replace: "",
  },
];
