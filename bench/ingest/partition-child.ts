/**
 * What a partition does with one batch, in a process of its own: prints by how much its memory peaked above what it was before the batch was
 * there, what was answered, and how much went to storage, which is not counted. Arguments: a flow, the envelope of a small batch, that of a
 * large one.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import type { StorageOp } from "../../protocol/partition/effects.ts";
import { ANSWER, ANSWER_COLUMN, ANSWER_FIELD } from "../../protocol/wire/answer.ts";
import { defineApp } from "../../sdk/index.ts";
import { SimPartition } from "../../sim/partition.ts";
import { createRandom } from "../../sim/random.ts";
import { flowOf, type FlowKind } from "./memory-flows.ts";

const [kind = "kept", small = "", large = ""] = process.argv.slice(2) as [FlowKind, string, string];

const status = (name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;
// An isolate with a bound collects what is no longer needed; this process has none that would make it.
const collect = (): void => (globalThis as { gc?: () => void }).gc?.();

const kernels = createKernels(loadCore());
const replies = new Map<number, Uint8Array>();
let stored = 0;
const partition = new SimPartition({
  app: defineApp({ services: [], flows: [flowOf(kind)], partitions: 1 }),
  kernels,
  random: createRandom(1),
  left: (ticket, reply) => reply instanceof Uint8Array && void replies.set(ticket, reply),
  durable: forget,
});

/** What is durable is no longer in memory: a storage of maps would keep it. */
function forget(ops: readonly StorageOp[]): void {
  for (const op of ops) {
    if (op.op !== "record") continue;
    stored += op.bytes.length;
    Object.assign(op, { bytes: new Uint8Array() });
  }
}

async function take(ticket: number, path: string): Promise<{ status: number; body: string }> {
  partition.ingest(ticket, readFileSync(path));
  while (!replies.has(ticket)) {
    if (partition.failure !== undefined) throw new Error("the partition failed", { cause: partition.failure });
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    // Flushing and confirming come before folding, which is for later.
    partition.moves()[0]?.();
  }
  const table = kernels.unpack(ANSWER, replies.get(ticket) as Uint8Array);
  return { status: table.column(0, ANSWER_COLUMN.status), body: table.field(0, ANSWER_FIELD.body) };
}

// The first batch makes what stays: tables, caches, code.
await take(1, small);
collect();
stored = 0;
const before = status("VmRSS");
writeFileSync("/proc/self/clear_refs", "5");
const answer = await take(2, large);
console.log(JSON.stringify({ peak: status("VmHWM") - before, stored, ...answer }));
