/** A run's events as they are sent: one stream for each kind, in batches, in turns as the events come. */
import type { Batch, Kind, NexmarkEvent } from "./events.ts";

/** The injected clock: a good second of processing time for each batch, so that windows of ten seconds end between batches. */
const CLOCK_START = Date.UTC(2027, 0, 1);
const CLOCK_STEP = 1_300;

/** Cuts arrivals into pieces of so many events; each piece is up to three batches, one of each kind: people first, then auctions, then bids. */
export function inBatches(arrivals: readonly NexmarkEvent[], size: number, kinds: readonly Kind[]): Batch[] {
  const batches: Batch[] = [];
  for (let from = 0; from < arrivals.length; from += size) {
    const piece = arrivals.slice(from, from + size);
    for (const kind of ["person", "auction", "bid"] as const) {
      if (!kinds.includes(kind)) continue;
      const events = piece.filter((arrival) => arrival.kind === kind).map(({ event }) => event);
      if (events.length > 0) batches.push({ kind, events, at: CLOCK_START + CLOCK_STEP * batches.length } as Batch);
    }
  }
  return batches;
}

/** A batch as NDJSON. */
export function bodyOf({ events }: Batch): string {
  return events.map((event) => JSON.stringify(event)).join("\n");
}
