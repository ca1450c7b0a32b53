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
    find: "    this.#owner.show();\n",
    replace: "",
    also: [
      {
        file: "protocol/moves/moves.ts",
        find: "      // What is told of as taken is in records before.\n      this.#owner.log.write();\n",
        replace: "",
      },
    ],
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
    find: "(poster !== null && isFinal(status, last))",
    replace: "(poster !== null && last && status < 0)",
  },
];
