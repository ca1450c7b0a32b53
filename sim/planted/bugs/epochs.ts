/** Mistakes of partitions as members of epochs and participants in them. */
import type { PlantedBug } from "../planted.ts";

const WORK = "protocol/partition/epoch-work.ts";
const PARTICIPATION = "protocol/epochs/participation.ts";
const SET = "protocol/epochs/epoch-set.ts";

export const EPOCHS: readonly PlantedBug[] = [
  {
    name: "tag-after-close",
    what: "A member gives an epoch to transactions after it has closed it.",
    rule: "16",
    file: PARTICIPATION,
    find: "this.#member = rejoin ? epoch + 1 : 0;\n    if (rejoin) this.see(epoch + 1);",
    replace: "this.#member = rejoin ? epoch : 0;",
  },
  {
    name: "tag-after-order",
    what: "A sole member gives its epoch to more transactions when it has ordered it prepared.",
    rule: "M8",
    file: PARTICIPATION,
    find: "    this.#leave(isBusy);\n    return true;",
    replace: "    return true;",
  },
  {
    name: "decide-without-own-record",
    what: "A sole member decides its epoch without a record of its own.",
    rule: "M9",
    file: PARTICIPATION,
    find: "if (this.hasOrdered) this.#checkPrepare((this.#decision as Decision).epoch);",
    replace:
      "if (this.hasOrdered) {\n      const decision = this.#decision as Decision;\n      this.#sets.delete(decision.epoch);\n      decision.isRecorded = true;\n      this.#decideIfReady(decision);\n    }",
  },
  {
    name: "decide-before-others-prepared",
    what: "A sole member decides its epoch when it has its own record, whoever else is prepared.",
    rule: "M9",
    file: "protocol/epochs/decision.ts",
    find: "return this.isRecorded && this.awaited.size === 0;",
    replace: "return this.isRecorded;",
  },
  {
    name: "closed-behind-the-next",
    what: "A sole member closes the next epoch without having said that it has closed its own.",
    rule: "M9",
    file: PARTICIPATION,
    find: "    if (this.#decision !== null) this.#tellClosed(this.#decision);\n",
    replace: "",
  },
  {
    name: "counts-not-cumulative",
    what: "A second close of an epoch counts only the finishes since the first.",
    rule: "16",
    file: PARTICIPATION,
    find: "counts: [...sent.values()], rejoin, ordered: false });",
    replace: "counts: [...sent.values()], rejoin, ordered: false });\n    sent.clear();",
  },
  {
    name: "prepare-without-finishes",
    what: "The record is written without waiting for the finishes that were counted.",
    rule: "19",
    file: SET,
    find: "for (const [sender, finishes] of prepare.expect) if ((received.get(sender) ?? 0) < finishes) return false;",
    replace: "void received;",
  },
  {
    name: "readers-write-no-record",
    what: "Who only read in an epoch says that it is prepared without a record.",
    rule: "19",
    file: WORK,
    find: "const contents = recordPieces(this.#parts.layers.writesOf(epoch), results);",
    replace:
      "const contents = recordPieces(this.#parts.layers.writesOf(epoch), results);\n    if (contents.length === 1 && contents[0].writes.length + results.length + answers.length === 0) return undefined as never;",
    also: [
      {
        file: PARTICIPATION,
        find: "this.#records.push(this.#owner.writeRecord(set));",
        replace: "const record = this.#owner.writeRecord(set);\n    if (record) this.#records.push(record);",
      },
    ],
  },
  {
    name: "prepare-of-another-incarnation",
    what: "Incarnations are compared nowhere: not in answers, not at the finish, not at close and prepare.",
    rule: "5, 13, 19",
    file: PARTICIPATION,
    find: "if (parts.get(this.#owner.self) !== this.#owner.incarnation) return",
    replace: "if (!parts.has(this.#owner.self)) return",
    also: [
      {
        file: WORK,
        find: "if (this.#parts.incarnationOf(peer) !== incarnation) return this.#parts.transactions.giveUp(attempt);",
        replace: "void incarnation;",
      },
      {
        file: "protocol/transaction/remote-calls.ts",
        find: "if (known !== taken || taken < this.#owner.incarnationOf(peer)) {",
        replace: "if (known < 0) {",
      },
      {
        file: "protocol/coordinator/participants.ts",
        find: "  return known === incarnation;\n",
        replace: "  return known > 0;\n",
      },
      {
        file: "protocol/coordinator/participants.ts",
        find: "for (const [peer, incarnation] of parts) if (incarnationOf(peer) > incarnation) return null;",
        replace: "void incarnationOf;",
      },
    ],
  },
  {
    name: "participants-lost-in-record",
    what: "A record names only the partition that holds it as participant.",
    rule: "19, 25",
    file: WORK,
    find: "    const { parts } = prepare;\n",
    replace: "    const parts = new Map([[this.self, this.incarnation]]);\n",
  },
  {
    name: "generation-not-kept",
    what: "A partition does not store which coordinator it obeys.",
    rule: "2, 24",
    file: WORK,
    find: 'this.#parts.emit({ kind: "persist", ops: [{ op: "put-meta", name: "generation", value: String(generation) }] });',
    replace: "void generation;",
  },
  {
    name: "incarnation-reused",
    what: "A partition starts again under the incarnation that it had.",
    rule: "1",
    // What the shell does is in durable/; here the simulated object does it.
    file: "sim/world/partition-object.ts",
    find: 'Number(this.disk.meta.get("incarnation") ?? 0) + 1',
    replace: 'Number(this.disk.meta.get("incarnation") ?? 1)',
  },
  {
    name: "era-twice",
    what: "The same era heard twice drops what runs a second time.",
    rule: "era",
    file: PARTICIPATION,
    find: '(this.phase === "up" || this.phase === "moving") && base <= this.era',
    replace: '(this.phase === "up" || this.phase === "moving") && base < this.era',
  },
  {
    name: "aborted-ranges-ignored",
    what: "A partition keeps the record of an aborted epoch when later ones are committed.",
    rule: "era, 23",
    file: PARTICIPATION,
    find: "(epoch > committed || inRanges(aborted, epoch))",
    replace: "(epoch > committed || inRanges([], epoch + aborted.length))",
  },
];
