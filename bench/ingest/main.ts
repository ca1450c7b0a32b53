/** Ingest over HTTP to a durable, readable, windowed view, beside the same query in plain JavaScript without durability, in one process. */
import { join } from "node:path";
import { bundle } from "../../scripts/lib/bundle.ts";
import { makeBids } from "../kernels/bids.ts";
import { report, rowOf, type Row } from "../lib/report.ts";
import { startWorkerd } from "../lib/workerd.ts";

const EVENTS = 200_000;
const BATCH = 10_000;
/** Batches sent at the same time; their events may then arrive out of order by as much. */
const AT_ONCE = 2;
const TOKEN = "bench";
const PLAIN = "http://127.0.0.1:8793";
const APP = "http://127.0.0.1:8794";
const QUERIES = ["q0", "q2", "q12"] as const;
const FLOOR_PER_SECOND = 300_000;
/** makeBids begins at 1,700,000,000,000 ms and a pass is shorter than 1,000 s: a pass further on, these digits are one more. */
const TIME_PREFIX = 1_700_000;

export interface IngestOptions {
  readonly runs: number;
}

let passes = 0;

/** The bodies of one pass, later in event time than every pass before. */
function nextBodies(lines: readonly string[]): string[] {
  const prefix = `"dateTime":${TIME_PREFIX + passes++}`;
  const bodies: string[] = [];
  for (let at = 0; at < lines.length; at += BATCH) {
    bodies.push(
      lines
        .slice(at, at + BATCH)
        .join("\n")
        .replaceAll(`"dateTime":${TIME_PREFIX}`, prefix),
    );
  }
  return bodies;
}

/** Sends all bodies, some at a time and in order; events per second until the last answer. */
async function send(url: string, headers: Record<string, string>, bodies: readonly string[]): Promise<number> {
  let next = 0;
  let accepted = 0;
  const began = performance.now();
  const sender = async (): Promise<void> => {
    while (next < bodies.length) {
      const index = next++;
      const response = await fetch(url, {
        method: "POST",
        body: bodies[index] as string,
        headers: { ...headers, "content-type": "application/x-ndjson", "idempotency-key": `"p${passes}-${index}"` },
      });
      if (response.status !== 200) throw new Error(`${url}: ${response.status} ${await response.text()}`);
      accepted += ((await response.json()) as { accepted: number }).accepted;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  if (accepted !== EVENTS) throw new Error(`${url} accepted ${accepted} of ${EVENTS} events`);
  return (EVENTS / (performance.now() - began)) * 1000;
}

interface ViewPage {
  readonly rows: ReadonlyArray<{ readonly bids: number }>;
  readonly events: number;
  readonly late: number;
  readonly next?: string;
}

/** A run has no figure unless the view holds every event exactly once. */
async function checkView(name: (typeof QUERIES)[number], expected: number): Promise<void> {
  let bids = 0;
  let page: ViewPage | undefined;
  do {
    const after = page?.next === undefined ? "" : `&cursor=${encodeURIComponent(page.next)}`;
    const response = await fetch(`${APP}/v1/views/${name}?limit=10000${after}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    page = (await response.json()) as ViewPage;
    for (const row of page.rows) bids += row.bids;
  } while (page.next !== undefined);
  if (bids + page.late !== expected)
    throw new Error(`view ${name} counts ${bids} bids and ${page.late} late ones of ${expected}`);
}

async function benchQuery(name: (typeof QUERIES)[number], lines: readonly string[], runs: number): Promise<Row[]> {
  const plain: number[] = [];
  const ours: number[] = [];
  const auth = { authorization: `Bearer ${TOKEN}` };
  const passing =
    name === "q2" ? lines.filter((line) => (JSON.parse(line) as { price: number }).price > 500_000).length : EVENTS;
  for (let run = -1; run < runs; run++) {
    const bodies = nextBodies(lines);
    const plainRate = await send(`${PLAIN}/${name}`, {}, bodies);
    const ourRate = await send(`${APP}/v1/streams/${name}-bids`, auth, bodies);
    if (run < 0) continue;
    plain.push(plainRate);
    ours.push(ourRate);
  }
  await checkView(name, passing * (runs + 1));
  return [
    rowOf(`${name}: plain JavaScript, in memory`, "events/s", plain),
    rowOf(`${name}: durable view`, "events/s", ours, { figure: FLOOR_PER_SECOND }),
    rowOf(
      "  ratio",
      "x",
      ours.map((rate, run) => rate / (plain[run] as number)),
    ),
  ];
}

export async function benchIngest({ runs }: IngestOptions): Promise<void> {
  const here = import.meta.dirname;
  const workerd = await startWorkerd([
    { name: "plain", port: 8793, bundle: await bundle(join(here, "plain.wrangler.jsonc")), classes: [] },
    {
      name: "app",
      port: 8794,
      bundle: await bundle(join(here, "app.wrangler.jsonc")),
      classes: ["Partition", "Coordinator"],
      vars: { TIDEGATE_TOKEN: TOKEN },
    },
  ]);
  const lines = new TextDecoder().decode(makeBids(EVENTS)).trimEnd().split("\n");
  const rows: Row[] = [];
  try {
    for (const name of QUERIES) rows.push(...(await benchQuery(name, lines, runs)));
  } finally {
    await workerd.stop();
  }
  await report("ingest", rows, {
    events: EVENTS,
    batch: BATCH,
    "at once": AT_ONCE,
    runs,
    idempotency: "on",
    auth: "on",
  });
}
