/** Mistakes with snapshot queries. */
import type { PlantedBug } from "../planted.ts";

const TRANSACTIONS = "protocol/transaction/transactions.ts";
const MACHINE = "protocol/partition/machine.ts";

export const SNAPSHOTS: readonly PlantedBug[] = [
  {
    name: "snapshot-does-not-lift-clock",
    what: "A read as of an epoch leaves the clock: a later local commit may belong to that epoch.",
    rule: "26",
    file: MACHINE,
    find: "    this.see(epoch + 1);\n",
    replace: "",
  },
  {
    name: "snapshot-beside-undecided",
    what: "A snapshot begins on the newest committed state although an epoch is undecided.",
    rule: "27",
    file: TRANSACTIONS,
    find: "if (root.snapshot && !this.#layers.isDecided)",
    replace: "if (root.snapshot && this.#layers === undefined)",
  },
  {
    name: "snapshot-over-commits",
    what: "A snapshot of one partition is answered although something was committed while it ran.",
    rule: "invariant 2",
    file: TRANSACTIONS,
    find: "this.#commits !== attempt.commitsAtStart)",
    replace: "this.#commits < attempt.commitsAtStart)",
  },
];
