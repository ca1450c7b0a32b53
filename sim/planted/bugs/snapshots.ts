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
    name: "snapshot-does-not-learn",
    what: "A read as of an epoch does not learn that it is committed.",
    rule: "26",
    file: MACHINE,
    find: "    this.learn(epoch);\n    this.see(epoch + 1);",
    replace: "    this.see(epoch + 1);",
  },
  {
    name: "snapshot-without-touch",
    what: "A read for another partition's snapshot is answered without a look at storage.",
    rule: "26",
    file: "protocol/transaction/remote-calls.ts",
    find: "    if (!attempt.locking) this.#owner.touch();\n",
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
  {
    name: "snapshot-after-restart",
    what: "After a restart all that is stored is shown to snapshots as of any epoch.",
    rule: "27",
    file: "protocol/partition/epoch-work.ts",
    find: "if (!this.#resumed) this.#parts.history.raiseFloor(this.participation.clock);",
    replace: "",
  },
];
