/** A planted bug: a mistake that the simulator must find, or it would not find it if it were ours. */
import type { Patch } from "./patches.ts";

export interface PlantedBug extends Patch {
  readonly name: string;
  /** What is wrong then, in a sentence. */
  readonly what: string;
  /** The rule of docs/protocol.md or invariant of docs/architecture.md that it breaks. */
  readonly rule: string;
  /** Further changes, where one mistake is made in several places or needs one of the protocol's own checks out of the way. */
  readonly also?: readonly Patch[];
}

export function patchesOf({ file, find, replace, also = [] }: PlantedBug): readonly Patch[] {
  return [{ file, find, replace }, ...also];
}
