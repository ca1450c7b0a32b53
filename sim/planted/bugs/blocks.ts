/** Mistakes with blocks of state: their index, folds into them, merges of them. */
import type { PlantedBug } from "../planted.ts";

const BLOCKS_FILE = "protocol/state/blocks/blocks.ts";
const MERGER = "protocol/state/blocks/merger.ts";

export const BLOCKS: readonly PlantedBug[] = [
  {
    name: "lost-block",
    what: "A merge that moves a part of a block down forgets the other part.",
    rule: "invariant 1",
    file: MERGER,
    find: "this.#labelled(restLabel, rest, block.clears)",
    replace: "this.#labelled(restLabel, rest.slice(0, 0), block.clears)",
  },
  {
    name: "stale-filter",
    what: "A block that takes the place of another keeps the filter of that one.",
    rule: "invariant 1",
    file: BLOCKS_FILE,
    find: "run.replace(at, count, added);",
    replace: "run.replace(at, count, added.map((one, n) => ({ ...one, filter: (replaced[n] ?? one).filter })));",
  },
  {
    name: "merge-drops-newest",
    what: "Where both runs have a key, a merge keeps what the older one holds.",
    rule: "invariant 1",
    file: MERGER,
    find: "      upper: [bytes],\n      lower: met.map((one) => this.#blocks.bytesOf(one)),\n      until: plan.until,",
    replace:
      "      upper: met.map((one) => this.#blocks.bytesOf(one)),\n      lower: [bytes],\n      until: null as typeof plan.until,",
    also: [
      {
        file: "protocol/state/blocks/merge-plan.ts",
        find: "      if (until !== null) break;\n",
        replace: "      until = null;\n",
      },
    ],
  },
  {
    name: "tombstones-dropped-early",
    what: "A merge into a run that is not the oldest leaves out what was deleted, and older runs show it again.",
    rule: "invariant 1",
    file: MERGER,
    find: "const isBottom = this.#blocks.trees[space].runs.at(-1) === lower;",
    replace: "const isBottom = true as boolean;",
  },
  {
    name: "results-expire-at-once",
    what: "Results of clients are dropped with the first merge.",
    rule: "invariant 4",
    file: MERGER,
    find: "runs.find(({ expires }) => expires < now);",
    replace: "runs.find(({ expires }) => expires < now + 86_400_000);",
  },
];
