/** Mistakes when transactions finish: who is told, what is recorded, which epoch. */
import type { PlantedBug } from "../planted.ts";

const TRANSACTIONS = "protocol/transaction/transactions.ts";
const MACHINE = "protocol/partition/machine.ts";
const WORK = "protocol/partition/epoch-work.ts";
const PARTICIPATION = "protocol/epochs/participation.ts";

export const FINISH: readonly PlantedBug[] = [
  {
    name: "reply-at-tag",
    what: "The answer leaves when the transaction gets its epoch, before that is decided.",
    rule: "13, 21",
    file: WORK,
    find: "this.#parts.admission.tagged(root);",
    replace: "this.#parts.admission.tagged(root, status, body);",
    also: [
      {
        file: "protocol/partition/admission.ts",
        find: "  tagged(root: Root): void {\n",
        replace:
          "  tagged(root: Root, status = 0, body = ''): void {\n    for (const waiter of root.waiters.splice(0)) this.#parts.tickets.answer(waiter, status, 0, body);\n",
      },
    ],
  },
  {
    name: "refusal-not-recorded",
    what: "The refusal of a transaction over several partitions is not kept for its repetitions.",
    rule: "11",
    file: MACHINE,
    find: "const recorded = keepsFailure(root, failure, answer.status);",
    replace: "const recorded = false;",
  },
  {
    name: "refusal-at-once",
    what: "A failed transaction answers at once, without an epoch.",
    rule: "11",
    file: TRANSACTIONS,
    find: 'if (!settled.ok && settled.failure.kind === "engine") {',
    replace: "if (!settled.ok) {",
  },
  {
    name: "local-path-over-undecided",
    what: "A transaction of one partition commits at once although it read what is undecided.",
    rule: "12",
    file: TRANSACTIONS,
    find: "for (const entity of attempt.uses.keys()) if (this.#layers.isUndecided(entity)) return true;",
    replace: "",
  },
  {
    name: "local-commit-without-epoch",
    what: "The commits of one partition by itself have no epoch.",
    rule: "12",
    file: MACHINE,
    find: "this.#layers.commit(writes, this.#log.seq, this.clock);",
    replace: "this.#layers.commit(writes, this.#log.seq, 0);",
  },
  {
    name: "tag-without-join",
    what: "A partition gives an epoch that it is no member of.",
    rule: "13",
    file: PARTICIPATION,
    find: "if (this.#member === 0) return this.join();",
    replace:
      "if (this.#member === 0) {\n      this.join();\n      if (this.clock > 0) this.#owner.tagFinishing(this.clock);\n      return;\n    }",
  },
  {
    name: "tag-below-clock",
    what: "An epoch is given although a later one was seen.",
    rule: "13",
    file: PARTICIPATION,
    find: "if (this.#member !== 0 && this.#member < this.clock) this.#close(true);",
    replace: "",
    also: [
      {
        file: PARTICIPATION,
        find: 'invariant(this.#member >= this.clock, "2: the clock is beyond the open epoch");',
        replace: "",
      },
    ],
  },
  {
    name: "finish-lost",
    what: "One participant is neither told of the finish nor counted.",
    rule: "13",
    file: WORK,
    find: "    for (const [peer, incarnation] of parts) {\n      this.#parts.send(",
    replace:
      "    for (const [peer, incarnation] of [...parts].slice(parts.size > 1 ? 1 : 0)) {\n      this.#parts.send(",
  },
  {
    name: "readers-keep-their-clock",
    what: "The finish of a transaction that only read at a partition does not raise the clock there.",
    rule: "14",
    file: WORK,
    find: "this.participation.finished(from, epoch);",
    replace:
      "this.participation.finished(from, epoch, !drop && this.#parts.transactions.preparedOf(attempt).length > 0);",
    also: [
      {
        file: PARTICIPATION,
        find: "finished(from: Peer, epoch: Epoch): void {",
        replace: "finished(from: Peer, epoch: Epoch, wrote = true): void {",
      },
      {
        file: PARTICIPATION,
        find: "    this.see(epoch);\n    this.#checkPrepare(epoch);",
        replace: "    if (wrote) this.see(epoch);\n    this.#checkPrepare(epoch);",
      },
    ],
  },
];
