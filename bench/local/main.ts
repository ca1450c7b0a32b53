/** Local transactions: one key, one function, over HTTP, beside a hand-written Durable Object in the same process. */
import { join } from "node:path";
import { bundle } from "../../scripts/lib/bundle.ts";
import { load, type LoadResult } from "../lib/load.ts";
import { pick, report, rowOf, type Row } from "../lib/report.ts";
import { counted } from "../lib/turns.ts";
import { startWorkerd } from "../lib/workerd.ts";

const KEYS = 10_000;
const TOKEN = "bench";
const BARE = "http://127.0.0.1:8791";
const APP = "http://127.0.0.1:8792";
const BATCH_LINES = 500;

export interface LocalOptions {
  readonly runs: number;
  readonly seconds: number;
}

let issued = 0;
const jsonHeaders = { "content-type": "application/json" };
const appHeaders = { ...jsonHeaders, authorization: `Bearer ${TOKEN}` };

function keyOf(n: number): string {
  return `acct-${(Math.imul(n, 2654435761) >>> 0) % KEYS}`;
}

function bareLoad(connections: number, seconds: number): Promise<LoadResult> {
  const request = (n: number) => ({ path: `/accounts/${keyOf(n)}/deposit`, body: '{"amount":1}' });
  return load({ url: BARE, connections, seconds, headers: jsonHeaders, request });
}

function appLoad(connections: number, seconds: number): Promise<LoadResult> {
  const request = (n: number) => ({
    path: `/v1/services/account/${keyOf(n)}/deposit`,
    body: '{"amount":1}',
    headers: { "idempotency-key": `"k-${issued++}"` },
  });
  return load({ url: APP, connections, seconds, headers: appHeaders, request });
}

/** Each line a transaction on a key of its own, with an id. */
async function batchLoad(connections: number, seconds: number): Promise<LoadResult> {
  const request = (): { path: string; body: string; headers: Record<string, string> } => {
    const lines: string[] = [];
    for (let i = 0; i < BATCH_LINES; i++) {
      lines.push(
        `{"service":"account","key":"${keyOf(issued * BATCH_LINES + i)}","function":"deposit","input":{"amount":1},"id":"${i}"}`,
      );
    }
    return { path: "/v1/batch", body: lines.join("\n"), headers: { "idempotency-key": `"b-${issued++}"` } };
  };
  const headers = { ...appHeaders, "content-type": "application/x-ndjson" };
  return load({ url: APP, connections, seconds, headers, request });
}

interface Turn {
  readonly bare: LoadResult;
  readonly app: LoadResult;
}

interface Pair {
  readonly bare: LoadResult[];
  readonly app: LoadResult[];
}

/** @param calls of a request of the app */
async function inTurns(
  runs: number,
  bare: () => Promise<LoadResult>,
  app: () => Promise<LoadResult>,
  calls = 1,
): Promise<Pair> {
  const turn = async (): Promise<Turn> => ({ bare: await bare(), app: await app() });
  const turns = await counted(runs, turn, ({ app }) => app.requests * calls);
  return { bare: turns.map((played) => played.bare), app: turns.map((played) => played.app) };
}

function ratios(pair: Pair, of: (app: LoadResult, bare: LoadResult) => number): number[] {
  return pair.app.map((app, run) => of(app, pair.bare[run] as LoadResult));
}

function pairRows(connections: number, pair: Pair, target: number | undefined): Row[] {
  const per = (results: readonly LoadResult[]) => results.map((result) => result.perSecond);
  const driver = `driver at most ${Math.max(...pair.app.map((result) => result.driverCpu)).toFixed(2)} of a core`;
  return [
    rowOf(`bare object, concurrency ${connections}`, "/s", per(pair.bare)),
    rowOf(`one call a request, concurrency ${connections}`, "/s", per(pair.app), undefined, driver),
    rowOf(
      `  ratio`,
      "x",
      ratios(pair, (app, bare) => app.perSecond / bare.perSecond),
      target === undefined ? undefined : { figure: target },
    ),
  ];
}

export async function benchLocal({ runs, seconds }: LocalOptions): Promise<void> {
  const here = import.meta.dirname;
  const workerd = await startWorkerd([
    { name: "bare", port: 8791, bundle: await bundle(join(here, "bare.wrangler.jsonc")), classes: ["Bare"] },
    {
      name: "app",
      port: 8792,
      bundle: await bundle(join(here, "app.wrangler.jsonc")),
      classes: ["Partition", "Coordinator"],
      vars: { TIDEGATE_TOKEN: TOKEN },
    },
  ]);
  const rows: Row[] = [];
  try {
    for (const connections of [32, 128]) {
      const pair = await inTurns(
        runs,
        () => bareLoad(connections, seconds),
        () => appLoad(connections, seconds),
      );
      rows.push(...pairRows(connections, pair, 1));
    }
    const alone = await inTurns(
      runs,
      () => bareLoad(1, seconds),
      () => appLoad(1, seconds),
    );
    rows.push(rowOf("bare object, alone, median latency", "ms", pick(alone.bare, "p50")));
    rows.push(rowOf("one call, alone, median latency", "ms", pick(alone.app, "p50")));
    rows.push(
      rowOf(
        "  ratio",
        "x",
        ratios(alone, (app, bare) => app.p50 / bare.p50),
        { figure: 1.2, atMost: true },
      ),
    );
    const batch = await inTurns(
      runs,
      () => bareLoad(32, seconds),
      () => batchLoad(8, seconds),
      BATCH_LINES,
    );
    const lines = batch.app.map((result) => result.perSecond * BATCH_LINES);
    rows.push(rowOf(`/v1/batch, ${BATCH_LINES} lines, 8 at once`, "/s", lines));
    rows.push(
      rowOf(
        "  ratio to the bare object at 32",
        "x",
        ratios(batch, (app, bare) => (app.perSecond * BATCH_LINES) / bare.perSecond),
        { figure: 20 },
      ),
    );
  } finally {
    await workerd.stop();
  }
  await report("local", rows, {
    partitions: 4,
    objects: 4,
    keys: KEYS,
    runs,
    seconds,
    idempotency: "on",
    validation: "on",
    auth: "on",
  });
}
