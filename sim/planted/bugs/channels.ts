/** Mistakes of the channels between instances, and of what guards them: order, incarnations, eras. */
import type { PlantedBug } from "../planted.ts";

const IN = "protocol/link/in-channel.ts";
const LINKS = "protocol/link/links.ts";
const CARRIER = "protocol/link/carrier.ts";
const MACHINE = "protocol/partition/machine.ts";
const KNOWN =
  "if (batch.first < this.#next || this.#waiting.has(batch.first) || batch.messages.length === 0) return true;";

export const CHANNELS: readonly PlantedBug[] = [
  {
    name: "frames-unordered",
    what: "Messages are handled as they come.",
    rule: "channels",
    file: IN,
    find: KNOWN,
    replace: "if (batch.messages.length === 0) return true;\n    this.#next = batch.first;",
  },
  {
    name: "frames-repeated",
    what: "The newest batch is handled again when it comes again.",
    rule: "channels",
    file: IN,
    find: KNOWN,
    replace: `if (this.#held === 0 && batch.first + batch.messages.length === this.#next) this.#next = batch.first;\n    ${KNOWN}`,
  },
  {
    name: "frames-dropped",
    what: "A batch that comes before its turn is acknowledged and forgotten.",
    rule: "channels",
    file: IN,
    find: KNOWN,
    replace: `if (batch.first > this.#next) return true;\n    ${KNOWN}`,
  },
  {
    name: "mail-for-predecessor",
    what: "A batch for an earlier incarnation is handled.",
    rule: "channels",
    file: LINKS,
    find: "if (batch.receiverIncarnation === this.#incarnation && !this.#accept(batch))",
    replace: "if (batch.receiverIncarnation > 0 && !this.#accept(batch))",
  },
  {
    name: "channel-outlives-peer",
    what: "The channel with a restarted peer goes on, unacknowledged messages and all.",
    rule: "channels",
    file: LINKS,
    find: "      this.#drop(peer);\n",
    replace: "",
  },
  {
    name: "receipt-of-predecessor",
    what: "A receipt for a batch of an earlier instance is taken for one of this instance's.",
    rule: "C15",
    file: CARRIER,
    find: "receipts.filter(([, , sender]) => sender === this.#incarnation)",
    replace: "receipts",
    // And receipts are told again and again, which by itself harms nobody: one is seldom under way just when its instance is lost.
    also: [
      {
        file: CARRIER,
        find: "    return { from: this.#self, receipts };",
        replace:
          "    const told = ((this as unknown as { told?: Map<Peer, Receipt[]> }).told ??= new Map());\n" +
          "    const again = told.get(to) ?? [];\n" +
          "    told.set(to, [...again, ...receipts].slice(-8));\n" +
          "    return { from: this.#self, receipts: [...again, ...receipts] };",
      },
    ],
  },
  {
    name: "carried-to-another",
    what: "A batch leaves with the answer to whoever waits for one.",
    rule: "C15",
    file: CARRIER,
    find: "this.#held.get(to)?.shift()",
    replace: "[...this.#held.values()].find((held) => held.length > 0)?.shift()",
  },
  {
    name: "era-not-checked",
    what: "Messages of another era are handled.",
    rule: "channels",
    file: MACHINE,
    find: "else if (this.#isUp && era === this.#epochs.participation.era)",
    replace: "else",
    also: [
      {
        file: MACHINE,
        find: "this.isPlaced && era <= this.#epochs.participation.era",
        replace: "this.isPlaced && era >= 0",
      },
    ],
  },
  {
    name: "later-era-not-held",
    what: "Messages of a later era are dropped rather than held.",
    rule: "channels",
    file: MACHINE,
    find: "this.isPlaced && era <= this.#epochs.participation.era",
    replace: "this.isPlaced && era >= 0",
  },
];
