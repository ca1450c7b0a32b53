/** Mistakes with `ctx.try` and with calls of one transaction that wait for each other. */
import type { PlantedBug } from "../planted.ts";

const TRANSACTIONS = "protocol/transaction/transactions.ts";
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
    file: TRANSACTIONS,
    find: "if (!scope.snapshots.has(copy.entity)) scope",
    replace: "if (!scope.snapshots.has(copy.entity) && scope.place?.peer === this.owner.self) scope",
  },
  {
    name: "undone-messages-sent",
    what: "Messages of what `ctx.try` has undone are sent.",
    rule: "invariant 5",
    file: TRANSACTIONS,
    find: "attempt.postings = attempt.postings?.filter((posting) => !isWithin(posting.scope, scope)) ?? null;",
    replace: "void isWithin;",
  },
  {
    name: "chase-never-sent",
    what: "Calls that wait for each other by way of several partitions are not looked for.",
    rule: "invariant 6",
    file: REMOTE,
    find: "    for (const { remote, id } of callsWaitedFor(queued)) {",
    replace: "    for (const { remote, id } of callsWaitedFor(queued).slice(0, 0)) {",
  },
];
