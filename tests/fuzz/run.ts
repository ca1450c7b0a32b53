/** The loop of all fuzzing: rounds with a seed each, for so many rounds or minutes, with progress, and the seed of the first that fails. */
import { random, type Random } from "../core-wasm/support/random.ts";

export interface Rounds {
  /** Seed of the first round; each next one has one more. */
  readonly seed: number;
  /** Ends after so many rounds at the latest. */
  readonly rounds: number;
  /** Ends after so long, whatever is left. */
  readonly milliseconds: number;
  /** Told of now and then. */
  progress?(done: { readonly rounds: number; readonly documents: number; readonly seed: number }): void;
}

const PROGRESS_MS = 10_000;

/** Runs rounds; `round` returns how many documents it tried. @throws Error with the seed of the round that failed */
export function fuzz(
  options: Rounds,
  round: (random: Random, seed: number) => number,
): { rounds: number; documents: number } {
  const began = performance.now();
  let told = began;
  let documents = 0;
  let rounds = 0;
  for (; rounds < options.rounds; rounds++) {
    const now = performance.now();
    if (now - began > options.milliseconds) break;
    const seed = options.seed + rounds;
    if (now - told > PROGRESS_MS) {
      told = now;
      options.progress?.({ rounds, documents, seed });
    }
    try {
      documents += round(random(seed), seed);
    } catch (error) {
      throw new Error(`the round with --seed ${seed} failed: ${String(error)}`, { cause: error });
    }
  }
  return { rounds, documents };
}
