/** Delayed messages by the hundred thousand: that all fire once and none early, and what rows, alarms and time that takes. */
import { join } from "node:path";
import { bundle } from "../../scripts/lib/bundle.ts";
import type { UsageFigures } from "../../durable/usage.ts";
import { report, type Row } from "../lib/report.ts";
import { startWorkerd } from "../lib/workerd.ts";

const PORT = 8798;
const TOKEN = "bench";
const KEYS = 1_000;
const LINES = 100;
/** Until the first is due: all are set by then. And over how long they are spread. */
const AHEAD_MS = 45_000;
const SPREAD_MS = 10_000;
const PATIENCE_MS = 180_000;

export interface TimersOptions {
  readonly timers: number;
}

type ByObject = Readonly<Record<string, UsageFigures & { readonly alarmAt?: number | null }>>;
interface Seen {
  readonly rung: number;
  readonly early: number;
  readonly mostLateMs: number;
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${PORT}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
  return (await response.json()) as T;
}

async function batch(lines: readonly string[]): Promise<string[]> {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/x-ndjson" };
  const response = await fetch(`http://127.0.0.1:${PORT}/v1/batch`, {
    method: "POST",
    headers,
    body: lines.join("\n"),
  });
  const results = (await response.text()).split("\n").filter((line) => line !== "");
  const failed = results.find((line) => !line.includes('"status":200'));
  if (failed !== undefined || results.length !== lines.length) throw new Error(`a line failed: ${failed}`);
  return results;
}

const keyOf = (n: number): string => `bell-${n % KEYS}`;
const line = (n: number, name: string, input?: object): string =>
  JSON.stringify({ service: "bell", key: keyOf(n), function: name, ...(input && { input }) });

async function inBatches(make: (n: number) => string): Promise<string[]> {
  const results: string[] = [];
  for (let from = 0; from < KEYS; from += LINES) {
    results.push(...(await batch(Array.from({ length: LINES }, (_, n) => make(from + n)))));
  }
  return results;
}

async function seen(): Promise<Seen> {
  const all = (await inBatches((n) => line(n, "seen"))).map((text) => (JSON.parse(text) as { result: Seen }).result);
  return {
    rung: all.reduce((sum, { rung }) => sum + rung, 0),
    early: all.reduce((sum, { early }) => sum + early, 0),
    mostLateMs: Math.max(...all.map(({ mostLateMs }) => mostLateMs)),
  };
}

const rowsWritten = (use: ByObject): number => Object.values(use).reduce((sum, each) => sum + each.rowsWritten, 0);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Everything that has been committed is folded some time: rows written are counted when nothing more is written. */
async function settled(): Promise<number> {
  for (let last = -1; ;) {
    const now = rowsWritten(await get<ByObject>("/usage"));
    if (now === last) return now;
    last = now;
    await sleep(500);
  }
}

export async function benchTimers({ timers }: TimersOptions): Promise<void> {
  const app = await bundle(join(import.meta.dirname, "app.wrangler.jsonc"));
  const worker = {
    name: "app",
    port: PORT,
    bundle: app,
    classes: ["Partition", "Coordinator"],
    vars: { TIDEGATE_TOKEN: TOKEN },
  };
  const workerd = await startWorkerd([worker]);
  try {
    const rows = await run(timers);
    await report("timers", rows, { timers, keys: KEYS, partitions: 4, "spread over s": SPREAD_MS / 1_000 });
  } finally {
    await workerd.stop();
  }
}

async function run(timers: number): Promise<Row[]> {
  await seen();
  const before = await settled();
  const from = Date.now() + AHEAD_MS;
  const count = timers / KEYS;
  const until = from + SPREAD_MS;
  const began = performance.now();
  await inBatches((n) => line(n, "set", { to: keyOf(n + 1), count, from, until }));
  const setMs = performance.now() - began;
  const loaded = await settled();
  const late = Date.now() > from;
  const alarms = Object.values(await get<ByObject>("/ask")).map(({ alarmAt }) => alarmAt);
  const deadline = until + PATIENCE_MS;
  await sleep(Math.max(0, until - Date.now()));
  let end = await seen();
  while (end.rung < timers && Date.now() < deadline) {
    await sleep(500);
    end = await seen();
  }
  const drainedMs = Date.now() - until;
  await sleep(1_000);
  end = await seen();
  const fired = await settled();
  const once = { figure: timers };
  return [
    {
      what: "rows written when they are set",
      unit: "a timer",
      value: (loaded - before) / timers,
      target: { figure: 0.1, atMost: true },
      note: late ? "some had fired before all were set" : `${timers} set in ${Math.round(setMs)} ms`,
    },
    {
      what: "objects with an alarm, one each",
      unit: "of 4",
      value: alarms.filter((at) => typeof at === "number").length,
    },
    { what: "fired", unit: "", value: end.rung, target: once },
    { what: "  more than once", unit: "", value: Math.max(0, end.rung - timers), target: { figure: 0, atMost: true } },
    { what: "  early", unit: "", value: end.early, target: { figure: 0, atMost: true } },
    {
      what: "  the latest, after its time",
      unit: "ms",
      value: end.mostLateMs,
      note: `all were delivered ${drainedMs} ms after the last was due`,
    },
    { what: "rows written when they fire and are delivered", unit: "a timer", value: (fired - loaded) / timers },
  ];
}
