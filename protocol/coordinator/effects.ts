/** What the coordinator's machine asks of its shell, as data, and what it is told. */
import type { LinkEffect, LinkInput } from "../link/effects.ts";

export type CoordinatorEffect =
  | LinkEffect
  /** Make these names hold these texts, together, before anything that leaves later. */
  | { readonly kind: "persist"; readonly ops: ReadonlyArray<{ readonly name: string; readonly value: string }> }
  /** When all that was to be persisted is durable, end this instance, and with it all that waits for an answer: the next generation finds out from records what this one cannot know. */
  | { readonly kind: "start-over" };

export type CoordinatorInput = LinkInput;
