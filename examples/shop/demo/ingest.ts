/** Drives the stream: batches one after the other, so that their order is known, some of them sent twice. */
import { isDeepStrictEqual } from "node:util";
import { Sales, salesPerMinute } from "../src/sales.ts";
import { type Tally, tally } from "./tally.ts";
import { differs } from "./findings.ts";
import type { Http } from "./http.ts";
import { Progress } from "./progress.ts";
import { random, type Random } from "./random.ts";
import { ndjson, salesBatch } from "./sales.ts";
import type { Windows } from "./windows.ts";

/** Events of a batch: about 1.5 MB. */
const BATCH_EVENTS = 20_000;
/** Share of batches that are sent twice with one Idempotency-Key. */
const TWICE = 0.05;

export interface Ingest {
  readonly http: Http;
  readonly run: string;
  readonly seed: number;
  readonly events: number;
  /** Event time of the first event: a minute's beginning, later than any event before. */
  readonly start: number;
  readonly windows: Windows;
  readonly faults: string[];
}

export interface Ingested {
  readonly tally: Tally;
  readonly batches: number;
  readonly late: number;
}

/** Sends all events. */
export async function ingest(drive: Ingest): Promise<Ingested> {
  const totals = tally("events", `batch of ${BATCH_EVENTS}`);
  const progress = new Progress(totals.name, drive.events);
  const chance = random(drive.seed, "events");
  const twice = random(drive.seed, "events sent twice");
  let late = 0;
  let batches = 0;
  try {
    let upcoming = prepare(drive, chance, 0);
    for (let sent = 0; sent < drive.events; batches++) {
      const { sales, body } = upcoming;
      const answered = deliver(drive, totals, body, batches, twice() < TWICE);
      // Made while the server works, so that the driver does not hold it up.
      const lateHere = drive.windows.take(sales);
      sent += sales.rows;
      upcoming = prepare(drive, chance, sent);
      const expected = { accepted: sales.rows, late: { [salesPerMinute.name]: lateHere } };
      for (const answer of await answered)
        if (!isDeepStrictEqual(answer, expected))
          drive.faults.push(differs(`batch ${batches + 1} of events`, expected, answer));
      late += lateHere;
      totals.answered += sales.rows;
      progress.add(sales.rows);
    }
  } finally {
    totals.seconds = progress.end();
  }
  return { tally: totals, batches, late };
}

function prepare(
  { events, start }: Ingest,
  chance: Random,
  sent: number,
): { sales: ReturnType<typeof salesBatch>; body: Buffer } {
  const sales = salesBatch(chance, sent, Math.min(BATCH_EVENTS, events - sent), start);
  return { sales, body: ndjson(sales) };
}

/** Sends a batch, perhaps twice; returns the answers. */
async function deliver(
  { http, run }: Ingest,
  totals: Tally,
  body: Buffer,
  batch: number,
  twice: boolean,
): Promise<unknown[]> {
  const path = `/v1/streams/${Sales.name}`;
  const sending = {
    method: "POST",
    path,
    body,
    type: "application/x-ndjson",
    idempotencyKey: `${run}-e${batch}`,
  } as const;
  const answers: unknown[] = [];
  for (let time = 0; time < (twice ? 2 : 1); time++) {
    const startedAt = performance.now();
    const answer = await http.send(sending);
    totals.latencies.add(performance.now() - startedAt);
    totals.replayed += answer.replayed ? 1 : 0;
    answers.push(JSON.parse(answer.text));
  }
  return answers;
}
