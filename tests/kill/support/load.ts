/** What the clients of one run under kills share. */
import type { Random } from "../../../sim/random.ts";

export interface Load {
  readonly url: string;
  readonly random: Random;
  /** Transactions that have been answered. */
  answered: number;
  /** Requests sent again, because there was no answer. */
  repeats: number;
  /** Faults that a client has seen itself, in words. */
  readonly faults: string[];
  /** Set when clients are to stop after the request that they have. */
  stopping: boolean;
  /** Set when the run has failed: nobody waits for answers any more. */
  abandoned: boolean;
}
