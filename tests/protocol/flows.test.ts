/** Flows of one stream that the window kernel runs: a batch is taken by all of them or by none, and what they hold is bounded. */
import { describe, expect, it } from "vitest";
import type { WindowGroup } from "../../core-wasm/types.ts";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { GROUPS_MAX } from "../../dataflow/limits.ts";
import type { Batch } from "../../protocol/partition/admission.ts";
import { LIMITS } from "../../protocol/limits.ts";
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
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import { useLimits } from "../support/limits.ts";

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

function batchOf(rows: number, firstSensor: number, at = 1000): Batch {
  const lines = Array.from({ length: rows }, (_, i) => `{"sensor":${firstSensor + i},"kind":${i % 3},"at":${at}}`);
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

function openOf(flows: Flows, name: string): WindowGroup[] {
  return kernels.readGroups(flows.runtime(name)?.snapshot() ?? new Uint8Array());
}

function groupsOf(flows: Flows): string {
  const shown = ["by-kind", "by-sensor"].map((name) => openOf(flows, name));
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

describe.each([
  ["alone", [bySensor]],
  ["behind another", [byKind, bySensor]],
])("a flow %s that holds as many groups as it may", (_, all) => {
  const HOUR = 3_600_000;
  const full = () => {
    const flows = new Flows(defineApp({ services: [], flows: all }), kernels);
    let seq = 0;
    const log = (): void => {
      if (flows.dirty) flows.takeChanges(++seq, Number.POSITIVE_INFINITY);
    };
    const take = (rows: number, first: number, at: number) => flows.apply(batchOf(rows, first, at), log, 0).status;
    for (const half of [0, GROUPS_MAX / 2]) expect(take(GROUPS_MAX / 2, half, 1_000)).toBe(200);
    return { flows, take };
  };

  it("takes the events that end their windows, known keys' and others', and those behind them", () => {
    const { flows, take } = full();
    expect(take(1, GROUPS_MAX, 2_000)).toBe(503);
    // Time is an hour behind the latest event: the first window goes on.
    expect(take(1, 0, HOUR)).toBe(503);
    for (const hours of [2, 3, 100]) {
      expect(take(1, 0, hours * HOUR)).toBe(200);
      expect(take(1, 7 * GROUPS_MAX, hours * HOUR)).toBe(200);
    }
    expect(flows.runtime("by-sensor")?.status.late).toBe(0);
  });

  it("holds no more than one batch's groups beside them", () => {
    const { flows, take } = full();
    const groups = () => openOf(flows, "by-sensor").length;
    for (const hours of [2, 4, 6, 8]) {
      expect(take(GROUPS_MAX, 0, hours * HOUR)).toBe(200);
      expect(groups()).toBeLessThanOrEqual(2 * GROUPS_MAX);
    }
  });
});

describe("flows that are grouped by texts", () => {
  const limits = useLimits();
  const HOUR = 3_600_000;
  const [Visit, Call] = ["visits", "calls"].map((name) =>
    stream(name, { page: text(), kind: int64(), at: timestamp() }),
  );
  const by = (name: string, from: typeof Visit, key: "page" | "kind") =>
    flow(name)
      .from(from as NonNullable<typeof from>, { time: "at" })
      .keyBy(key)
      .window(tumbling("1h"))
      .aggregate({ n: count() })
      .toView(name);
  const page = (n: number) => `${n}`.padStart(1_000, "/");

  function started() {
    const all = [by("kinds", Visit, "kind"), by("visits", Visit, "page"), by("calls", Call, "page")];
    const flows = new Flows(defineApp({ services: [], flows: all }), kernels);
    let seq = 0;
    const log = (): void => {
      if (flows.dirty) flows.takeChanges(++seq, Number.POSITIVE_INFINITY);
    };
    const take = (name: string, at: number, ...pages: string[]) => {
      const lines = pages.map((each) => JSON.stringify({ page: each, kind: 1, at })).join("\n");
      const parsed = kernels.parseEvents(new TextEncoder().encode(lines), Visit?.columns ?? []);
      if (!parsed.ok) throw new Error("the test's events are wrong");
      const batch = { ...batchOf(0, 0), stream: name, rows: parsed.rows, columns: parsed.frame };
      return flows.apply(batch, log, 0);
    };
    const pages = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => page(from + n));
    return { flows, take, pages, events: (name: string) => flows.runtime(name)?.status.events };
  }

  it("take what there is memory for, all of a partition together; what is there goes on, and time does", () => {
    limits.maxWindowBytes = 20 * 1_200;
    const { take, pages, events } = started();
    expect(take("visits", 1, ...pages(0, 15)).status).toBe(200);
    expect(take("calls", 1, ...pages(0, 3)).status).toBe(200);
    for (const name of ["visits", "calls"]) {
      const refused = take(name, 1, ...pages(100, 106));
      expect([refused.status, refused.body]).toEqual([503, expect.stringContaining("/problems/too-many-groups")]);
    }
    // The other flow of that stream has taken none of it.
    expect([events("kinds"), events("visits"), events("calls")]).toEqual([15, 15, 3]);
    limits.maxWindowBytes = 1_200;
    expect(take("visits", 2, ...pages(0, 15)).status).toBe(200);
    expect(take("visits", HOUR, ...pages(0, 1)).status).toBe(503);
    limits.maxWindowBytes = 5 * 1_200;
    expect(take("visits", HOUR, ...pages(100, 101)).status).toBe(200);
    expect(take("calls", HOUR, ...pages(100, 102)).status).toBe(200);
  });

  it("take no text that is longer than a key may be, unless it comes too late", () => {
    const { take, events } = started();
    const long = "ü".repeat(LIMITS.maxEntryKeyBytes / 2);
    expect(take("visits", HOUR, long).status).toBe(200);
    const refused = take("visits", HOUR, page(1), `${long}x`);
    expect([refused.status, refused.body]).toEqual([422, expect.stringContaining("/problems/invalid-event")]);
    expect([events("kinds"), events("visits")]).toEqual([1, 1]);
    expect(take("visits", 1, `${long}x`)).toMatchObject({ status: 200, late: [{}, {}] });
  });
});
