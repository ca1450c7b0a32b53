/** Mistakes of the coordinator, in its life and in its recovery. */
import type { PlantedBug } from "../planted.ts";

const EPOCHS = "protocol/coordinator/epochs.ts";
const MACHINE = "protocol/coordinator/machine.ts";
const RECOVERY = "protocol/coordinator/recovery.ts";
const STATE = "protocol/coordinator/epoch-state.ts";

export const COORDINATOR: readonly PlantedBug[] = [
  {
    name: "epochs-reused",
    what: "A new generation begins with the epochs of the first.",
    rule: "1",
    file: EPOCHS,
    find: "this.#base = epochOf(generation, 1);",
    replace: "this.#base = epochOf(Math.min(generation, 1), 1);",
  },
  {
    name: "decide-before-all-prepared",
    what: "An epoch is committed when one participant is not prepared yet.",
    rule: "20",
    file: EPOCHS,
    find: "if (prepared.size !== parts?.size) return;",
    replace: "if (parts === null || prepared.size < parts.size - 1) return;",
    also: [
      {
        file: EPOCHS,
        find: 'invariant(parts === null || prepared.size === parts.size, "1: an epoch is committed unprepared");',
        replace: "void [parts, prepared];",
      },
    ],
  },
  {
    name: "sole-beside-others",
    what: "A partition becomes the sole member of an epoch that has another member.",
    rule: "M8",
    file: EPOCHS,
    find: "      members.size === 0 &&\n",
    replace: "",
    also: [
      {
        file: EPOCHS,
        find: "    const members = new Map([[partition, memberOf(this.#port.incarnationOf(partition))]]);\n",
        replace:
          "    const members = new Map([[partition, memberOf(this.#port.incarnationOf(partition))]]);\n    const earlier = this.#open.members;\n",
      },
      {
        file: EPOCHS,
        find: '    this.#open = openEpoch(epoch + 1);\n    this.#port.send(partition, { kind: "joined"',
        replace:
          '    for (const [peer, member] of earlier) members.set(peer, member);\n    this.#open = openEpoch(epoch + 1);\n    this.#port.send(partition, { kind: "joined"',
      },
    ],
  },
  {
    name: "lost-decision-aborted",
    what: "The epoch of a sole member that comes back is aborted, whatever that had decided.",
    rule: "M9",
    file: EPOCHS,
    find: "    if (recorded >= closing.epoch) return this.#port.undecidable();\n",
    replace: "    void recorded;\n",
  },
  {
    name: "frozen-over-a-decision",
    what: "Key groups are frozen while a sole member may decide its epoch, which is aborted.",
    rule: "M9",
    file: EPOCHS,
    find: "return this.#closing === null || this.#closing.decider === null;",
    replace: "if (this.#closing !== null) this.#closing.decider = null;\n    return true;",
  },
  {
    name: "abort-not-durable",
    what: "An abort is announced before its row is written, which is when all partitions have heard of it.",
    rule: "23",
    file: MACHINE,
    find: '    this.#persist("aborted", formatRanges(this.#aborted));\n',
    replace: "    this.#unwritten = true;\n",
    also: [
      { file: MACHINE, find: "  #replaced = false;\n", replace: "  #replaced = false;\n  #unwritten = false;\n" },
      {
        file: MACHINE,
        find: '    if (message.kind !== "refuse") this.#entered.add(from);\n',
        replace:
          '    if (message.kind !== "refuse") this.#entered.add(from);\n    if (this.#unwritten && this.#entered.size === this.#registry.all.size) {\n      this.#unwritten = false;\n      this.#persist("aborted", formatRanges(this.#aborted));\n    }\n',
      },
    ],
  },
  {
    name: "abort-only-one",
    what: "Only the epoch that failed is aborted, not the one behind it; partitions keep what they have of that.",
    rule: "23",
    file: EPOCHS,
    find: "const last = this.#open.epoch;",
    replace: "const last = first;",
    also: [
      {
        file: EPOCHS,
        find: "    this.#open = openEpoch(this.#base);\n    this.#closing = null;",
        replace: "    if (this.#open.epoch === first) this.#open = openEpoch(this.#base);\n    this.#closing = null;",
      },
    ],
  },
  {
    name: "doomed-forgotten",
    what: "A member of the open epoch that is lost is forgotten when the epoch before is decided.",
    rule: "section 10",
    file: EPOCHS,
    find: "if (this.#open.doomed) this.#abort(this.#open.epoch);",
    replace: "",
  },
  {
    name: "lost-root-ignored",
    what: "An epoch is not aborted when a root is lost whose finishes others may lack.",
    rule: "section 10",
    file: STATE,
    find: "return (member?.tagged ?? 0) > 0 && prepared.size < parts.size;",
    replace: "return (member?.tagged ?? 0) < 0;",
  },
  {
    name: "aborts-forgotten",
    what: "A new coordinator does not know what earlier ones have aborted.",
    rule: "25",
    file: MACHINE,
    find: 'parseRanges(stored.aborted ?? "");',
    replace: 'parseRanges("");',
  },
  {
    name: "recover-from-half",
    what: "Recovery goes on with the reports of half the partitions.",
    rule: "25",
    file: RECOVERY,
    find: "for (const partition of registered) if (!this.#reports.has(partition)) return false;",
    replace: "if (this.#reports.size * 2 < registered.size) return false;",
  },
  {
    name: "recover-incomplete",
    what: "Recovery commits an epoch that not all its participants hold.",
    rule: "25",
    file: RECOVERY,
    find: "const lacking = [...parts.keys()].filter((partition) => !holders.has(partition));",
    replace: "const lacking = [...parts.keys()].filter((partition) => !holders.has(partition)).slice(0, 0);",
  },
  {
    name: "recover-without-decided",
    what: "Recovery does not ask what partitions know to be committed.",
    rule: "25",
    file: RECOVERY,
    find: "for (const { decided } of this.#reports.values()) committed = Math.max(committed, decided);",
    replace: "",
  },
];
