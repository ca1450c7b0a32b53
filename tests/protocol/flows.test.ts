/** A stream with several flows: a batch is taken by all of them or by none. */
import { describe, expect, it } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { GROUPS_MAX } from "../../dataflow/limits.ts";
import type { Batch } from "../../protocol/partition/admission.ts";
import { Flows } from "../../protocol/partition/flows.ts";
import {
  contract,
  count,
  defineApp,
  flow,
  int64,
  query,
  service,
  stream,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";

const Reading = stream("readings", { sensor: int64(), kind: int64(), at: timestamp() });
const base = (name: string) => flow(name).from(Reading, { time: "at", outOfOrderness: "1h" });
const byKind = base("by-kind").keyBy("kind").window(tumbling("1h")).aggregate({ readings: count() }).toView("by-kind");
const bySensor = base("by-sensor")
  .keyBy("sensor")
  .window(tumbling("1h"))
  .aggregate({ readings: count() })
  .toView("by-sensor");
const Probe = contract("probe", { ping: query() });
const app = defineApp({ services: [service(Probe, {}, { ping: () => undefined })], flows: [byKind, bySensor] });

const kernels = createKernels(loadCore());
let batches = 0;

function batchOf(rows: number, firstSensor: number): Batch {
  const lines = Array.from({ length: rows }, (_, i) => `{"sensor":${firstSensor + i},"kind":${i % 3},"at":1000}`);
  const parsed = kernels.parseEvents(new TextEncoder().encode(lines.join("\n")), Reading.columns);
  if (!parsed.ok) throw new Error("the test's events are wrong");
  const requestId = `c${String(batches++).padStart(31, "0")}`;
  return {
    id: { requestId, fingerprintLow: 0, fingerprintHigh: 0 },
    clientId: true,
    stream: "readings",
    rows,
    columns: parsed.frame,
    produced: null,
  };
}

function groupsOf(flows: Flows): string {
  const shown = ["by-kind", "by-sensor"].map((name) => flows.runtime(name)?.openGroups());
  return JSON.stringify(shown, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

describe("a stream with two flows", () => {
  it("sets the first flow back when the second cannot take a batch, and goes on", () => {
    const flows = new Flows(app, kernels);
    let seq = 0;
    const log = (): void => {
      if (flows.dirty) flows.takeChanges(++seq, Number.POSITIVE_INFINITY);
    };
    const half = GROUPS_MAX / 2;
    expect(flows.apply(batchOf(half, 0), log, 0).applied).toBe(true);
    expect(flows.apply(batchOf(half - 10, half), log, 0).applied).toBe(true);
    log();
    const before = groupsOf(flows);
    const refused = flows.apply(batchOf(11, GROUPS_MAX), log, 0);
    expect(refused).toMatchObject({ applied: false, status: 503 });
    expect(refused.body).toContain("/problems/too-many-groups");
    expect(groupsOf(flows)).toBe(before);
    expect(flows.dirty).toBe(false);
    expect(flows.apply(batchOf(10, GROUPS_MAX), log, 0).applied).toBe(true);
    expect(flows.runtime("by-kind")?.status.events).toBe(GROUPS_MAX);
    expect(flows.runtime("by-sensor")?.status.events).toBe(GROUPS_MAX);
  });
});
