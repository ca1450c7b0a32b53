/** Mistakes with moving of key groups. */
import type { PlantedBug } from "../planted.ts";

const MOVES = "protocol/moves/moves.ts";
const SOURCE = "protocol/moves/source.ts";
const OWNERSHIP = "protocol/moves/ownership.ts";
const PARTICIPATION = "protocol/epochs/participation.ts";
const RESCALING = "protocol/coordinator/rescaling.ts";

export const MOVING: readonly PlantedBug[] = [
  {
    name: "move-without-fence",
    what: "A source goes on serving what it has given away: it does not take over the map that counts now.",
    rule: "G7",
    file: OWNERSHIP,
    find: 'if (map !== "") this.#map = mapOfText(map);',
    replace:
      'const given = this.targets.size > 0 && next === "" ? this.#map : null;\n    if (map !== "") this.#map = given ?? mapOfText(map);',
  },
  {
    name: "move-without-stop",
    what: "Transactions go on in the era in which what is left is moved.",
    rule: "G4",
    file: PARTICIPATION,
    find: 'this.phase = frozen ? "moving" : "up";',
    replace: 'this.phase = "up";',
    also: [
      {
        file: PARTICIPATION,
        find: "if (frozen) this.#owner.drain();\n    else this.#owner.resume();",
        replace: "this.#owner.resume();",
      },
    ],
  },
  {
    name: "move-forgets-changes",
    what: "What is committed while all else is copied is not moved.",
    rule: "G3",
    file: SOURCE,
    find: '    for (const { op, key } of writes) this.#note(key, op === "clear");\n',
    replace: "    void writes;\n",
  },
  {
    name: "move-forgets-unfolded",
    what: "What is in records and not folded when a move begins is not moved.",
    rule: "G3",
    file: SOURCE,
    find: "    for (const { key, cleared } of parts.committed.unfolded()) this.#note(key, cleared);\n",
    replace: "",
  },
  {
    name: "move-forgets-results",
    what: "Results of requests stay where their keys were.",
    rule: "G3, invariant 4",
    file: SOURCE,
    find: 'if (what === "added") this.#results.add(detached(requestId));\n    else if',
    replace: "if",
    also: [
      {
        file: SOURCE,
        find: '(result.group === undefined || this.#groups.has(result.group)) yield { kind: "result", result };',
        replace: '(result.status < 0) yield { kind: "result", result };',
      },
    ],
  },
  {
    name: "move-forgets-messages",
    what: "One-way messages that are not delivered stay where their senders were.",
    rule: "G3, invariant 5",
    file: SOURCE,
    find: "    yield* this.#messages();\n",
    replace: "",
  },
  {
    name: "move-loses-a-piece",
    what: "The piece of a move that comes third is answered and not kept.",
    rule: "G5",
    file: MOVES,
    find: "    this.#commit(writes);\n    if (stage",
    replace: "    if (number !== 3) this.#commit(writes);\n    if (stage",
  },
  {
    name: "move-over-garbage",
    what: "What was left of a group from before is not deleted before the group comes again.",
    rule: "G6",
    file: MOVES,
    find: "    if (!this.#garbage) {\n",
    replace: "    if (incoming) {\n",
    also: [
      {
        file: MOVES,
        find: "const mayDelete = this.#garbage && !this.#unreadable && !this.#owner.isBehind && !this.#owner.holdsMoves;",
        replace: "const mayDelete = false;",
      },
      { file: MOVES, find: "    if (this.#garbage) this.#wantWork();\n", replace: "" },
      {
        file: MOVES,
        find: "return isOnTheWay || (this.#garbage && !this.#unreadable);",
        replace: "this.#sources.size > 0 || this.#incoming.size > 0",
      },
    ],
  },
  {
    name: "move-counts-copies",
    what: "The map is changed when everything is copied, though what changed since is not there.",
    rule: "G7",
    file: RESCALING,
    find: "return this.isFrozen && this.#done.size === this.#pairs.size;",
    replace: "return this.isFrozen && this.#copied.size === this.#pairs.size;",
  },
  {
    name: "move-deletes-what-counts",
    what: "A target that has everything durably deletes it when its source begins again.",
    rule: "G6",
    file: MOVES,
    find: "    if (this.#taken.has(frozen, from)) {\n",
    replace: "    if (this.#taken.has(-1, from)) {\n",
    also: [
      {
        file: MOVES,
        find: "if (this.#taken.has(this.#frozen, source)) for (const group",
        replace: "if (this.#taken.has(-1, source)) for (const group",
      },
    ],
  },
  {
    name: "requests-stay-behind",
    what: "Requests that wait when their key goes to another partition run where they are.",
    rule: "G8",
    file: "protocol/partition/admission.ts",
    find: "if (this.#parts.ownership.keeps(root.group)) continue;",
    replace: "if (root.group >= 0) continue;",
  },
];
