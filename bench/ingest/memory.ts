/** Bodies of 30 MB: what the isolate holds while and after they are taken, in each way that events may be written. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import type { Kernels } from "../../core-wasm/types.ts";
import { INGEST } from "../../protocol/wire/ingest.ts";
import { bundle } from "../../scripts/lib/bundle.ts";
import { makeBids } from "../kernels/bids.ts";
import { inspect } from "../lib/inspector.ts";
import { Watch } from "../lib/memory-watch.ts";
import { report, type Row } from "../lib/report.ts";
import { startWorkerd } from "../lib/workerd.ts";
import { BID_COLUMNS, FLOW_KINDS, FLOW_WORDS } from "./memory-flows.ts";

const PORT = 8794;
const INSPECTOR_PORT = 9794;
const TOKEN = "bench";
const MIB = 1024 * 1024;
const BODY_BYTES = 30 * MIB;
const LIMIT_MIB = 128;
/** Of a partition's JavaScript; what lies in buffers and Wasm memory comes on top. */
const HEAP_MIB = 60;
const ROUNDS = 3;
/** A stream of one field more or less the widest: all seven of a bid, texts among them. */
const STREAM = "q0-bids";

/** Bids of about so many bytes, all of them different. */
function bidLines(): string[] {
  const lines = new TextDecoder().decode(makeBids(180_000)).trimEnd().split("\n");
  let bytes = 0;
  return lines.filter((line) => (bytes += line.length + 1) <= BODY_BYTES);
}

/** The highest that the process's memory has been since it was last asked to forget. */
async function peakOf(pid: number): Promise<number> {
  const match = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1] ?? 0) * 1024;
}

const forgetPeak = (pid: number): Promise<void> => writeFile(`/proc/${pid}/clear_refs`, "5");

/** Bytes of memory that parsing and packing the body takes, itself included. */
async function inOwnProcess(path: string, format: string): Promise<number> {
  const child = join(import.meta.dirname, "memory-child.ts");
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", child, path, format]);
  return (JSON.parse(stdout) as { peak: number }).peak;
}

/** What a partition makes of a batch: a small one is taken before it. */
function envelopeOf(kernels: Kernels, body: Uint8Array, number: number): Uint8Array {
  const parsed = kernels.parseEvents(body, BID_COLUMNS);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  const fields = [`c${String(number).padStart(31, "0")}`, "bids"];
  return kernels.pack(INGEST, { rows: 1, columns: [0, number, 0, parsed.rows], fields, tail: parsed.frame });
}

/** A row for each flow: the partition in a process of its own, whose heap is bounded so that it collects as an isolate would. */
async function partitionRows(folder: string, lines: readonly string[]): Promise<Row[]> {
  const kernels = createKernels(loadCore());
  const [small, large] = [3_000, lines.length].map((count, number) => {
    const path = join(folder, `envelope-${number}`);
    const body = new TextEncoder().encode(lines.slice(0, count).join("\n"));
    return { path, body, envelope: envelopeOf(kernels, body, number + 1) };
  }) as [Made, Made];
  for (const { path, envelope } of [small, large]) await writeFile(path, envelope);
  const child = join(import.meta.dirname, "partition-child.ts");
  const rows: Row[] = [];
  for (const kind of FLOW_KINDS) {
    const args = ["--expose-gc", `--max-old-space-size=${HEAP_MIB}`, "--max-semi-space-size=2", child, kind];
    const { stdout } = await promisify(execFile)(process.execPath, [...args, small.path, large.path]);
    const { peak, stored, status, body } = JSON.parse(stdout) as Taken;
    if (status !== 200) throw new Error(`the batch was answered ${status} ${body}`);
    rows.push({
      what: `${(large.body.length / MIB).toFixed(1)} MiB at the partition, ${FLOW_WORDS[kind]}: peak`,
      value: peak / MIB,
      unit: "MiB",
      target: { figure: LIMIT_MIB, atMost: true },
      note: `the message is ${(large.envelope.length / MIB).toFixed(1)} MiB; ${(stored / MIB).toFixed(1)} MiB are written; heap bounded to ${HEAP_MIB} MiB`,
    });
  }
  return rows;
}
interface Made {
  readonly path: string;
  readonly body: Uint8Array;
  readonly envelope: Uint8Array;
}
interface Taken {
  readonly peak: number;
  readonly stored: number;
  readonly status: number;
  readonly body: string;
}

async function send(type: string, body: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${PORT}/v1/streams/${STREAM}`, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": type },
  });
  const text = await response.text();
  if (response.status !== 200)
    throw new Error(`a body of ${body.length} bytes was answered ${response.status} ${text}`);
  return (JSON.parse(text) as { accepted: number }).accepted;
}

/** The same bids so many days later, byte for byte as long: those of an earlier round would be late. */
function later(body: string, rounds: number): string {
  return body.replaceAll('"dateTime":17', `"dateTime":${17 + rounds}`);
}

export async function benchIngestMemory(): Promise<void> {
  const app = await bundle(join(import.meta.dirname, "app.wrangler.jsonc"));
  const worker = { name: "app", port: PORT, bundle: app, classes: ["Partition", "Coordinator"] };
  const workerd = await startWorkerd([{ ...worker, vars: { TIDEGATE_TOKEN: TOKEN } }], INSPECTOR_PORT);
  const session = await inspect(INSPECTOR_PORT, "app");
  const lines = bidLines();
  const enveloped = lines.map(
    (line, i) => `{"specversion":"1.0","id":"${i}","source":"/b","type":"bid","data":${line}}`,
  );
  const third = enveloped.slice(0, Math.floor(enveloped.length / 1.4));
  const bodies = [
    { what: "NDJSON", format: "ndjson", type: "application/x-ndjson", body: lines.join("\n"), events: lines.length },
    {
      what: "a JSON array",
      format: "json",
      type: "application/json",
      body: `[${lines.join(",")}]`,
      events: lines.length,
    },
    {
      what: "CloudEvents",
      format: "cloudevents",
      type: "application/cloudevents-batch+json",
      body: `[${third.join(",\n")}]`,
      events: third.length,
    },
  ];
  const rows: Row[] = [];
  let sent = 0;
  const folder = await mkdtemp(join(tmpdir(), "tidegate-bench-"));
  try {
    // The first batch makes what stays: tables, caches, code.
    await send("application/x-ndjson", lines.slice(0, 1_000).join("\n"));
    rows.push(...(await partitionRows(folder, lines)));
    for (const { what, type, format, body, events } of bodies) {
      const path = join(folder, format);
      await writeFile(path, body);
      const alone = await inOwnProcess(path, format);
      await forgetPeak(workerd.pid);
      const idle = await peakOf(workerd.pid);
      const watch = new Watch(session, workerd.pid);
      for (let round = 0; round < ROUNDS; round++) {
        if ((await send(type, later(body, ++sent))) !== events) throw new Error(`not all events of ${what} were taken`);
      }
      await watch.stop();
      const target = { figure: LIMIT_MIB, atMost: true };
      rows.push(
        {
          what: `${(body.length / MIB).toFixed(1)} MiB of ${what}: body, Wasm memory and message, peak`,
          value: alone / MIB,
          unit: "MiB",
          target,
          note: "of the edge's work on it, in a process of its own",
        },
        {
          what: `  ${ROUNDS} of them over HTTP: the process beyond what it was, peak`,
          value: ((await peakOf(workerd.pid)) - idle) / MIB,
          unit: "MiB",
          note: "edge, partition, HTTP, SQLite, and what is not collected as long as there is room",
        },
      );
    }
  } finally {
    session.close();
    await workerd.stop();
    await rm(folder, { recursive: true });
  }
  await report("ingest-memory", rows, { events: lines.length, rounds: ROUNDS, stream: STREAM });
}
