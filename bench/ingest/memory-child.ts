/** What the edge does with one body, in a process of its own: prints by how much its memory peaked above what it was before the body was there. */
import { readFileSync, writeFileSync } from "node:fs";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import type { EventFormat } from "../../core-wasm/types.ts";
import { BID_FIELDS } from "./bid-fields.ts";

const [path = "", format = "ndjson"] = process.argv.slice(2) as [string, EventFormat];
const SPEC = { kind: 3, version: 1, columns: 4, fields: 2 };

const status = (name: string): number =>
  Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;

const kernels = createKernels(loadCore());
const NOTHING = new TextEncoder().encode(format === "ndjson" ? "" : "[]");

function parse(body: Uint8Array): Uint8Array {
  const parsed = kernels.parseEvents(body, BID_FIELDS, format);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  return parsed.frame;
}
const pack = (tail: Uint8Array): Uint8Array =>
  kernels.pack(SPEC, { rows: 1, columns: [0, 0, 0, 0], fields: ["r".repeat(32), "bids"], tail });

// The first batch makes what stays.
pack(parse(NOTHING));
const before = status("VmRSS");
writeFileSync("/proc/self/clear_refs", "5");
const frame = parse(readFileSync(path));
// An isolate with a bound collects what is no longer needed, here the body; this process has none that would make it.
(globalThis as { gc?: () => void }).gc?.();
const envelope = pack(frame);
console.log(JSON.stringify({ peak: status("VmHWM") - before, envelope: envelope.length }));
