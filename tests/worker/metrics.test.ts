import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Histogram } from "../../protocol/observe/histogram.ts";
import { initialMap } from "../../protocol/keygroups/map.ts";
import { LIMITS } from "../../worker/limits.ts";
import { figuresOf } from "../../worker/metrics/figures.ts";
import { MetricsText } from "../../worker/metrics/text.ts";
import { ADMIN_TOKEN, door, staticKey } from "../security/support.ts";

describe("Prometheus text", () => {
  it("has help and type once for each metric, and escapes labels", () => {
    const text = new MetricsText();
    text.counter("a_total", "Help.", { of: 'x"\\\n' }, 1);
    text.gauge("b", "More.", {}, 2.5);
    text.counter("a_total", "Help.", { of: "y" }, 3);
    expect(text.toString()).toBe(
      '# HELP a_total Help.\n# TYPE a_total counter\na_total{of="x\\"\\\\\\n"} 1\na_total{of="y"} 3\n# HELP b More.\n# TYPE b gauge\nb 2.5\n',
    );
  });

  it("has cumulative buckets in the base unit", () => {
    const histogram = new Histogram();
    for (const ms of [0, 1, 3, 1_000_000]) histogram.add(ms);
    const text = new MetricsText();
    text.histogram("d_seconds", "Help.", { p: 1 }, histogram.figures, 1 / 1_000);
    const lines = text.toString().split("\n");
    expect(lines).toContain('d_seconds_bucket{p="1",le="0.001"} 2');
    expect(lines).toContain('d_seconds_bucket{p="1",le="0.004"} 3');
    expect(lines).toContain('d_seconds_bucket{p="1",le="+Inf"} 4');
    expect(lines).toContain('d_seconds_sum{p="1"} 1000.004');
    expect(lines).toContain('d_seconds_count{p="1"} 4');
  });
});

describe("/metrics", () => {
  it("is for the owner, and for static keys with the role", async () => {
    const scraper = staticKey({ name: "scraper", roles: ["metrics"] });
    const other = staticKey({ name: "other", roles: ["read"] });
    const { ask } = door({}, [scraper.entry, other.entry]);
    expect((await ask("/metrics", { as: other.key })).status).toBe(403);
    expect((await ask("/metrics", { as: "" })).status).toBe(401);
    for (const as of [undefined, scraper.key]) {
      const response = await ask("/metrics", as === undefined ? {} : { as });
      expect(response.status).toBe(200);
      // Those that do not answer are told of, and keep the others from nothing.
      const text = await response.text();
      for (let partition = 0; partition < 4; partition++)
        expect(text).toContain(`tidegate_up{partition="${partition}"} 0`);
    }
  });
});

describe("an isolate that serves only who watches", () => {
  const eight = { ...initialMap(8), version: 2 };
  const grown = async () => {
    const { ask, backend } = door();
    await (await ask("/metrics")).text();
    backend.trueMap = eight;
    backend.rescaled = { ...(await backend.rescaleStatus()), version: 2, partitions: 8 };
    return { ask, backend };
  };
  const up = (text: string): number => text.split("\n").filter((line) => line.startsWith("tidegate_up{")).length;

  it("shows all partitions of a domain that has grown", async () => {
    const { ask } = await grown();
    expect(up(await (await ask("/metrics")).text())).toBe(8);
  });

  it.each(["/admin/overview", "/admin/transactions"])("has %s of all of them", async (path) => {
    const { ask, backend } = await grown();
    const asked = new Set<number>();
    const silent = { figures: () => Promise.reject(new Error("gone")), recent: () => Promise.resolve([]) };
    const partition = (index: number) => (asked.add(index), silent);
    Object.assign(backend, { observed: { partition, coordinator: () => Promise.reject(new Error("gone")) } });
    expect((await ask(path, { as: ADMIN_TOKEN })).status).toBe(200);
    expect(asked.size).toBe(8);
  });

  it("shows those that it knows while the coordinator does not answer, and forgets none of them", async () => {
    const { ask, backend } = await grown();
    backend.rescaleStatus = () => Promise.reject(new Error("gone"));
    expect(up(await (await ask("/metrics")).text())).toBe(4);
    expect(backend.refreshes).toBe(0);
  });
});

describe("a coordinator that does not answer", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
  afterEach(() => void vi.useRealTimers());
  const gone = () => Promise.reject(new Error("gone"));
  const silent = () => new Promise<never>(() => undefined);

  it("is shown as one that does not run, beside the partitions that there are", async () => {
    const { ask, backend } = door();
    Object.assign(backend, { observed: { partition: () => ({ figures: gone }), coordinator: gone } });
    const lines = (await (await ask("/metrics")).text()).split("\n");
    expect(lines).toContain("tidegate_coordinator_running 0");
    expect(lines).toContain("tidegate_partitions 4");
  });

  it.each(
    ["/metrics", "/admin/overview", "/admin/transactions"].flatMap((path) => [
      [path, "gone", gone] as const,
      [path, "silent", silent] as const,
    ]),
  )("leaves %s without an answer where partitions are not known, and soon: %s", async (path, _how, answer) => {
    const { ask, backend } = door();
    Object.assign(backend, { keyGroupMap: answer, rescaleStatus: answer });
    const response = ask(path, path === "/metrics" ? {} : { as: ADMIN_TOKEN });
    await vi.advanceTimersByTimeAsync(LIMITS.presentMapMs);
    expect((await response).status).toBe(503);
  });
});

describe("partitions that are silent", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
  afterEach(() => void vi.useRealTimers());

  it("are named beside the transactions of the others", async () => {
    const { ask, backend } = door();
    const never = new Promise<never>(() => undefined);
    const recent = (at: number) => () => (at % 2 === 0 ? Promise.resolve([{ id: "t", endedAt: at }]) : never);
    const partition = (at: number) => ({ recent: recent(at) });
    Object.assign(backend, { observed: { partition, coordinator: () => never } });
    const response = ask("/admin/transactions", { as: ADMIN_TOKEN });
    await vi.advanceTimersByTimeAsync(LIMITS.figuresTimeoutMs);
    expect(await (await response).json()).toEqual({
      transactions: [2, 0].map((at) => ({ id: "t", endedAt: at, partition: at })),
      silent: [1, 3],
    });
  });

  it.each([
    ["some", [0, 40, 70, 100]],
    ["as many as are asked at a time", Array.from({ length: LIMITS.figuresAtOnce }, (_, at) => at + 10)],
  ])("are waited for once, however many are asked: %s", async (_name, silent) => {
    const never = new Promise<never>(() => undefined);
    const partition = (at: number) => ({ figures: () => (silent.includes(at) ? never : Promise.resolve({ at })) });
    const observed = { partition, coordinator: () => Promise.resolve(null) };
    const began = Date.now();
    let tookMs = 0;
    const figures = figuresOf(observed as never, 128);
    void figures.then(() => (tookMs = Date.now() - began));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tookMs).toBe(LIMITS.figuresTimeoutMs);
    const told = (await figures).partitions as unknown as Array<{ at: number } | null>;
    expect(told).toHaveLength(128);
    // Where nobody is left to ask the others, they are not asked.
    const asked = silent.length < LIMITS.figuresAtOnce ? 128 : (silent.at(-1) as number) + 1;
    expect(told.slice(0, asked)).toEqual(
      Array.from({ length: asked }, (_, at) => (silent.includes(at) ? null : { at })),
    );
  });
});
