/** A million keys in one partition: what memory it takes while they are written, folded, merged and read cold, and what rows that costs. */
import { join } from "node:path";
import { bundle } from "../../scripts/lib/bundle.ts";
import { withConnections } from "../lib/drive.ts";
import type { HttpAnswer } from "../lib/http-answer.ts";
import type { HttpConnection } from "../lib/http-connection.ts";
import { inspect } from "../lib/inspector.ts";
import { rssOf, Watch } from "../lib/memory-watch.ts";
import { report, type Row } from "../lib/report.ts";
import { startWorkerd } from "../lib/workerd.ts";

const PORT = 8797;
const INSPECTOR_PORT = 9797;
const TOKEN = "bench";
const TEXT_CHARS = 180;
const BATCH_LINES = 2_000;
const AT_ONCE = 4;
const COLD_READS = 20_000;
const MIB = 1024 * 1024;
const LIMIT_MIB = 128;

export interface MemoryOptions {
  readonly keys: number;
}

const keyOf = (n: number): string => `key-${(Math.imul(n, 2654435761) >>> 0).toString(36)}-${n}`;
const textOf = (n: number): string => `${n}:`.padEnd(TEXT_CHARS, "abcdefghij");

async function batch(connection: HttpConnection, lines: readonly string[], check: (answer: HttpAnswer) => void) {
  const headers = `authorization: Bearer ${TOKEN}\r\ncontent-type: application/x-ndjson\r\n`;
  const answer = await connection.post({ path: "/v1/batch", headers, body: lines.join("\n") });
  if (answer.status !== 200) throw new Error(`a batch was answered ${answer.status}`);
  check(answer);
}

/** Runs batches of lines over numbers, several at once; ms that it took. */
async function inBatches(
  numbers: readonly number[],
  line: (n: number) => string,
  check: (results: Map<number, string>, numbers: readonly number[]) => void,
): Promise<number> {
  const began = performance.now();
  let next = 0;
  await withConnections(PORT, AT_ONCE, async (open) => {
    await Promise.all(
      open.map(async (connection) => {
        while (next < numbers.length) {
          const mine = numbers.slice(next, (next += BATCH_LINES));
          await batch(connection, mine.map(line), (answer) => check(resultsOf(answer), mine));
        }
      }),
    );
  });
  return performance.now() - began;
}

/** The text of each line that succeeded, by its number. */
function resultsOf({ body }: HttpAnswer): Map<number, string> {
  const results = new Map<number, string>();
  for (const text of body.toString().split("\n")) {
    if (text === "") continue;
    const { line, status, result } = JSON.parse(text) as { line: number; status: number; result?: string };
    if (status === 200) results.set(line, result ?? "");
    else throw new Error(`a line was answered ${text}`);
  }
  return results;
}

const rows = async (): Promise<number> =>
  ((await (await fetch(`http://127.0.0.1:${PORT}/rows`)).json()) as { written: number }).written;

export async function benchMemory({ keys }: MemoryOptions): Promise<void> {
  const app = await bundle(join(import.meta.dirname, "app.wrangler.jsonc"));
  const worker = { name: "app", port: PORT, bundle: app, classes: ["Partition", "Coordinator"] };
  const workerd = await startWorkerd([{ ...worker, vars: { TIDEGATE_TOKEN: TOKEN } }], INSPECTOR_PORT);
  const session = await inspect(INSPECTOR_PORT, "app");
  try {
    const all = Array.from({ length: keys }, (_, n) => n);
    const idle = await rssOf(workerd.pid);
    const put = (n: number) =>
      JSON.stringify({ service: "item", key: keyOf(n), function: "put", input: { text: textOf(n) } });
    const get = (n: number) => JSON.stringify({ service: "item", key: keyOf(n), function: "get" });
    const whole = (found: Map<number, string>, mine: readonly number[]) => {
      if (found.size !== mine.length) throw new Error(`${found.size} of ${mine.length} lines were answered`);
    };
    const cpuBefore = await workerd.cpuSeconds();
    const writing = new Watch(session, workerd.pid);
    const wroteMs = await inBatches(all, put, whole);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const wrote = await writing.stop();
    const written = await rows();
    const cpu = (await workerd.cpuSeconds()) - cpuBefore;

    const reading = new Watch(session, workerd.pid);
    const some = Array.from({ length: COLD_READS }, (_, n) => Math.imul(n + 1, 40503) % keys).map(Math.abs);
    const readMs = await inBatches(some, get, (found, mine) => {
      whole(found, mine);
      for (const [at, n] of mine.entries()) {
        if (found.get(at + 1) !== textOf(n)) throw new Error(`key ${n} holds ${String(found.get(at + 1))}`);
      }
    });
    const absent = Array.from({ length: COLD_READS }, (_, n) => keys + n);
    const absentMs = await inBatches(absent, get, whole);
    const read = await reading.stop();
    const figures: Row[] = [
      {
        what: "heap and Wasm memory, peak while written",
        value: wrote.total / MIB,
        unit: "MiB",
        target: { figure: LIMIT_MIB, atMost: true },
      },
      {
        what: "heap and Wasm memory, peak while read cold",
        value: read.total / MIB,
        unit: "MiB",
        target: { figure: LIMIT_MIB, atMost: true },
      },
      { what: "outside the heap, peak", value: Math.max(wrote.outside, read.outside) / MIB, unit: "MiB" },
      {
        what: "process beyond an idle one, peak",
        value: (Math.max(wrote.rss, read.rss) - idle) / MIB,
        unit: "MiB",
        note: "with SQLite's own",
      },
      { what: "keys written", value: (keys / wroteMs) * 1000, unit: "/s" },
      {
        what: "rows written for 1,000 keys",
        value: (written / keys) * 1000,
        unit: "rows",
        note: "records, folds and merges",
      },
      {
        what: "CPU of workerd for 1,000 keys written",
        value: (cpu / keys) * 1e6,
        unit: "ms",
        note: "HTTP, transactions, garbage collections of this benchmark and all",
      },
      { what: "cold reads", value: (COLD_READS / readMs) * 1000, unit: "/s" },
      { what: "reads of absent keys", value: (COLD_READS / absentMs) * 1000, unit: "/s" },
    ];
    await report("memory", figures, { keys, textChars: TEXT_CHARS });
  } finally {
    session.close();
    await workerd.stop();
  }
}
