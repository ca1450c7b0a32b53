/** Mistakes with `ctx.try` and with calls of one transaction that wait for each other. */
import type { PlantedBug } from "../planted.ts";

const ROLLBACK = "protocol/transaction/rollback.ts";
const REMOTE = "protocol/transaction/remote-calls.ts";

export const SCOPES: readonly PlantedBug[] = [
  {
    name: "undo-not-sent",
    what: "Other partitions are not told to undo what a failed `ctx.try` has done there.",
    rule: "invariant 2",
    file: REMOTE,
    find: "const undo = scope.failure !== null;",
    replace: "const undo = false;",
  },
  {
    name: "mirror-without-snapshot",
    what: "A partition keeps nothing to set back to for a `ctx.try` of another.",
    rule: "invariant 2",
    file: ROLLBACK,
    find: "    const kept = scope.snapshots.get(copy.entity);\n",
    // What stands for another partition's call has no id.
    replace: "    if (scope.activation?.id === 0) continue;\n    const kept = scope.snapshots.get(copy.entity);\n",
  },
  {
    name: "undone-messages-sent",
    what: "Messages of what `ctx.try` has undone are sent.",
    rule: "invariant 5",
    file: ROLLBACK,
    find: "attempt.postings = attempt.postings?.filter((posting) => !isWithin(posting.scope, scope)) ?? null;",
    replace: "void isWithin;",
  },
  {
    name: "chase-never-sent",
    what: "Calls that wait for each other by way of several partitions are not looked for.",
    rule: "invariant 6",
    file: REMOTE,
    find: "  chase(queued: Activation): void {\n",
    replace: "  chase(queued: Activation): void {\n    if (queued.id > 0) return;\n",
  },
];
