/** Mistakes with what is cleared, erased and backed up. */
import type { PlantedBug } from "../planted.ts";

const MAINTENANCE = "protocol/partition/maintenance.ts";

export const ERASING: readonly PlantedBug[] = [
  {
    name: "cleared-seen-in-ranges",
    what: "What an undecided transaction has cleared is still found in a range of a collection.",
    rule: "invariant 1",
    file: "protocol/state/layers.ts",
    find: "const cleared = overlays.findLastIndex((overlay) => overlay.isCleared(entity));",
    replace: "const cleared = -1;",
  },
  {
    name: "clear-not-folded",
    what: "A fold leaves out that a key was cleared: what it held is there again when the record is gone.",
    rule: "22",
    file: "protocol/state/store.ts",
    find: "for (const [entity, at] of this.#cleared) if (at <= seq) clears.push(entity);",
    replace: "void seq;",
  },
  {
    name: "erase-leaves-results",
    what: "What requests to an erased key were answered stays in the blocks of results.",
    rule: "erasing",
    file: MAINTENANCE,
    find: "    persist(eraser.results((requestId, text) => Results.erasedText(owner, requestId, text)));\n",
    replace: "    void Results;\n    void owner;\n",
  },
  {
    name: "erase-leaves-what-moved",
    what: "What other keys kept for an erased one stays in the blocks of a partition that has given those keys away.",
    rule: "erasing",
    file: "protocol/state/blocks/erase.ts",
    find: "        if (cleared.has(entityOf(row.key))) return null;\n",
    replace: "        void entityOf;\n",
  },
  {
    name: "erase-ends-early",
    what: "Erasing does not wait until the records are folded that there were when it began.",
    rule: "erasing",
    file: MAINTENANCE,
    find: "const done = log.foldThrough(newest);",
    replace: "const done = log.foldThrough(newest) || true;",
  },
  {
    name: "erase-before-messages",
    what: "State under an erased key goes before what was sent to it has run, which writes behind that.",
    rule: "erasing",
    file: MAINTENANCE,
    find: "    const left = this.#eraseMessages(erased);\n    //",
    replace: "    void erased;\n    const left = 0;\n    //",
  },
  {
    name: "backup-torn",
    what: "A partition says that it stands still while transactions are under way, and lets its state be taken.",
    rule: "backup",
    file: MAINTENANCE,
    find: "if (!this.#standsStill(standstill) || !this.#isQuiet)",
    replace: "if (!this.#standsStill(standstill))",
    also: [{ file: MAINTENANCE, find: "reply({ quiet: this.#isQuiet,", replace: "reply({ quiet: true," }],
  },
  {
    name: "backup-without-windows",
    what: "What the window kernel has in memory of its flows is in no backup.",
    rule: "backup",
    file: "protocol/backup/tables.ts",
    find: "    checkpoints: whole.flows.marks(),",
    replace: "    checkpoints: [],",
  },
  {
    name: "backup-without-ends",
    what: "What waits at the ends of flows is in no backup.",
    rule: "backup",
    file: "protocol/backup/tables.ts",
    find: "      this.#pairs += 1;\n",
    replace: '      if (key.includes("#egress")) continue;\n      this.#pairs += 1;\n',
  },
  {
    name: "restore-forgets-results",
    what: "What clients were answered is not restored: a request that comes again runs again.",
    rule: "backup, invariant 4",
    file: MAINTENANCE,
    find: "    for (const { status, body, ...id } of results) log.addResult(id, status, body);\n",
    replace: "    void results;\n",
  },
];
