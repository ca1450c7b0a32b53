/** Mistakes that 500 seeds do not find as yet: a measure of what the simulator still misses, not part of what it must find. */
import type { PlantedBug } from "../planted.ts";

export const UNFOUND: readonly PlantedBug[] = [
  {
    name: "snapshot-does-not-learn",
    what: "A read as of an epoch does not learn that it is committed.",
    rule: "26",
    file: "protocol/partition/machine.ts",
    find: "    this.learn(epoch);\n    this.see(epoch + 1);",
    replace: "    this.see(epoch + 1);",
  },
  {
    name: "snapshot-after-restart",
    what: "After a restart all that is stored is shown to snapshots as of any epoch.",
    rule: "27",
    file: "protocol/partition/epoch-work.ts",
    find: "if (!this.#resumed) this.#parts.history.raiseFloor(this.participation.clock);",
    replace: "",
  },
  {
    name: "move-mixes-messages",
    what: "Messages that came with their sender are stored among those that it sends later.",
    rule: "G9",
    file: "protocol/moves/source.ts",
    find: "const key = movedRowKey(place++, message.requestId);",
    replace: "const key = message.row;",
  },
  {
    name: "move-answers-early",
    what: "A target says that it has everything before that is durable.",
    rule: "G5",
    file: "protocol/moves/moves.ts",
    find: "    this.#owner.show();\n    this.#owed.push",
    replace: "    this.#owed.push",
    also: [
      {
        file: "protocol/moves/moves.ts",
        find: "      // What is told of as taken is in records before.\n      this.#owner.log.write();\n",
        replace: "",
      },
    ],
  },
  {
    name: "move-forgets-garbage",
    what: "That nothing is left of what was given away is durable before what deletes the last of it.",
    rule: "G6",
    file: "protocol/moves/moves.ts",
    find: "    this.#owner.log.write();\n    this.#garbage = false;\n",
    replace: "    this.#garbage = false;\n",
  },
  {
    name: "reply-without-touch",
    what: "What wrote nothing is answered without a look at storage.",
    rule: "12",
    file: "protocol/partition/machine.ts",
    find: "if (!this.#log.write() && this.#shows) this.#setup.reader.touch();",
    replace: "this.#log.write();",
  },
  {
    name: "late-use-shortens",
    what: "A transaction that has waited renews by its own time, though one before it has kept the state for longer.",
    rule: "X2",
    file: "protocol/state/expiry.ts",
    find: "const at = isLate ? before : renewed;",
    replace: "void isLate;\n  const at = renewed;",
  },
  {
    name: "replaced-hands-over",
    what: "An instance that has been replaced hands messages over that its successor has forgotten.",
    rule: "O11",
    file: "protocol/partition/machine.ts",
    find: "if (this.mail.handsOver) this.#setup.reader.touch();",
    replace: "",
  },
  {
    name: "backup-over-restart",
    what: "A partition that has started over, or gone on by itself, says that it has stood still.",
    rule: "backup",
    file: "protocol/partition/maintenance.ts",
    find: "return this.#frozen?.standstill === standstill && this.#frozen?.maps === this.#maps;",
    replace: "return standstill !== null;",
  },
  {
    name: "last-try-not-recorded",
    what: "The target does not record that the last try has failed, and may run the message once more.",
    rule: "O8",
    file: "protocol/partition/root.ts",
    find: "poster !== null && isFinal(status, last)",
    replace: "poster !== null && last && status < 0",
  },
  {
    name: "suspects-side-by-side",
    what: "All messages that are suspected are tried at once.",
    rule: "O13",
    file: "protocol/outbox/suspects.ts",
    find: "if (this.#current !== null && this.#current !== channel) {",
    replace: 'if (this.#current === "") {',
  },
  {
    name: "suspects-in-step",
    what: "An instance of the target that was lost before a try, unheard of, is taken for one that was lost with it.",
    rule: "O13",
    file: "protocol/outbox/outbox.ts",
    find: "    if (channel.marked > 0 && !channel.probed) return this.#probe(channel);\n",
    replace: "",
    also: [
      {
        file: "protocol/outbox/outbox.ts",
        find: "    channel.posted = false;\n    channel.nextAt = this.#owner.now() + LIMITS.suspectPauseMs",
        replace: "    channel.nextAt = this.#owner.now() + LIMITS.suspectPauseMs",
      },
    ],
  },
  // Found by one of 200,000, which was not planted: tests/protocol/cluster/restarts.test.ts has what it takes.
  {
    name: "lost-root-told-on",
    what: "Who hears that a root is lost passes that on as an abort, though finishes of the lost one may be on their way.",
    rule: "T12",
    file: "protocol/transaction/remote-calls.ts",
    find: "this.#transactions.aborted(attempt, attempt.live.size > 0);",
    replace: "this.#transactions.aborted(attempt);",
  },
  // Was found by one of 500, until something else made that one another: tests/workerd/operators-moving.test.ts has joins that move.
  {
    name: "joins-left-behind",
    what: "What joins keep is not moved with the key groups of their shares.",
    rule: "G3",
    file: "protocol/moves/source.ts",
    find: 'return text === null ? { op: "delete", key, text: "" } : { op: "put", key, text };',
    replace:
      'return text === null || key.includes("joins/") ? { op: "delete", key, text: "" } : { op: "put", key, text };',
    also: [
      {
        file: "protocol/moves/source.ts",
        find: "if (group === undefined || !this.#groups.has(group)) continue;",
        replace: 'if (group === undefined || !this.#groups.has(group) || key.includes("joins/")) continue;',
      },
    ],
  },
];
