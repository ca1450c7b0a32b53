/** Planted bugs: mistakes that the simulator must find, or it would not find them if they were ours (issue 7, point 5). */
import type { Patch } from "./patches.ts";

export interface PlantedBug extends Patch {
  readonly name: string;
  /** What is wrong then, in a sentence. */
  readonly what: string;
  /** The rule of docs/protocol.md or invariant of docs/architecture.md that it breaks. */
  readonly rule: string;
}

export const BUGS: readonly PlantedBug[] = [
  {
    name: "reply-early",
    what: "Answers leave before what they show is durable.",
    rule: "invariant 3",
    file: "protocol/partition/machine.ts",
    find: "    if (!this.#log()) this.#setup.reader.touch();",
    replace: "",
  },
];

export function bugNamed(name: string): PlantedBug {
  const bug = BUGS.find((each) => each.name === name);
  if (!bug) throw new Error(`there is no planted bug "${name}"; there are ${BUGS.map((each) => each.name).join(", ")}`);
  return bug;
}
