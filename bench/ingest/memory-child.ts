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

function envelopeOf(body: Uint8Array): Uint8Array {
  const parsed = kernels.parseEvents(body, BID_FIELDS, format, { spend: true });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  const { frame, room } = parsed;
  return kernels.pack(SPEC, { rows: 1, columns: [0, 0, 0, 0], fields: ["r".repeat(32), "bids"], tail: frame, room });
}

/** The body in memory of its own, as a request's is. */
function bodyOf(file: string): Uint8Array {
  const bytes = readFileSync(file);
  return bytes.buffer.byteLength === bytes.length ? bytes : new Uint8Array(bytes);
}

// The first batch makes what stays.
envelopeOf(NOTHING);
const before = status("VmRSS");
writeFileSync("/proc/self/clear_refs", "5");
const envelope = envelopeOf(bodyOf(path));
console.log(JSON.stringify({ peak: status("VmHWM") - before, envelope: envelope.length }));
