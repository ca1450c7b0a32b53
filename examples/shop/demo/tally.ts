/** What is counted of one kind of call, for the table at the end. */
import { Latencies } from "./latency.ts";

export interface Tally {
  readonly name: string;
  readonly latencies: Latencies;
  /** What a latency is of. */
  readonly unit: string;
  /** Calls that were answered, each counted once however often it was sent; `refused` of them by a refusal. */
  answered: number;
  refused: number;
  /** Answers that the server took from an earlier request with the same Idempotency-Key. */
  replayed: number;
  seconds: number;
}

export function tally(name: string, unit: string): Tally {
  return { name, unit, latencies: new Latencies(), answered: 0, refused: 0, replayed: 0, seconds: 0 };
}
