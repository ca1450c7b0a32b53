/** Late events of flows that the window kernel runs: those that it counts, one by one, whatever times and texts they have. */
import { expect, it } from "vitest";
import { evaluate } from "../../dataflow/reference.ts";
import { Flows } from "../../protocol/partition/flows.ts";
import { createRandom, type Random } from "../../sim/random.ts";
import { count, defineApp, flow, int64, stream, sum, text, timestamp, tumbling } from "../../sdk/index.ts";
import { kernels } from "./support/lone-partition.ts";

const Taps = stream("taps", { item: text(), amount: int64(), at: timestamp() });
const taps = flow("taps")
  .from(Taps, { time: "at", outOfOrderness: 5 })
  .filter((e) => e.amount.gt(0).and(e.item.ne("none")))
  .filter((e) => e.amount.lt(90))
  .keyBy("item")
  .window(tumbling(10))
  .aggregate({ n: count(), total: sum("amount") })
  .toView("taps");
/** The first time that an event counts for. */
const FIRST = -8_640_000_000_000_000n;
const app = defineApp({ services: [], flows: [taps] });

interface Tap {
  readonly item: string;
  readonly amount: bigint;
  readonly at: bigint;
}
const jsonOf = ({ item, amount, at }: Tap) => `{"item":${JSON.stringify(item)},"amount":${amount},"at":${at}}`;

/** Times that go on, and now and then some at the bounds of what there is. */
function tapOf(random: Random, now: bigint): Tap {
  const at = random.oneIn(200) ? random.pick([-(2n ** 63n), 2n ** 53n, 2n ** 63n - 1n]) : now - BigInt(random.int(60));
  return { item: random.pick(["a", "ü", "none", ""]), amount: BigInt(random.int(100) - 5), at };
}

it.each([1, 2, 3, 4])("are kept as they were counted, in order (seed %i)", (seed) => {
  const random = createRandom(seed);
  const flows = new Flows(app, kernels);
  const batches: Tap[][] = [];
  const kept: string[] = [];
  // Only the last rounds may come to the end of time, behind which all is late.
  for (let round = 0; round < 60; round++) {
    const now = BigInt(round * 12) - 100n;
    const batch = Array.from({ length: random.int(30) }, () => tapOf(random, now)).filter(
      ({ at }) => round > 50 || (at < 2n ** 53n && at > -(2n ** 63n)),
    );
    batches.push(batch);
    const parsed = kernels.parseEvents(new TextEncoder().encode(batch.map(jsonOf).join("\n")), Taps.columns);
    if (!parsed.ok) throw new Error("the test's events are wrong");
    const id = { requestId: `c${String(round).padStart(31, "0")}`, fingerprintLow: 0, fingerprintHigh: 0 };
    const whole = { id, clientId: true, stream: "taps", rows: batch.length, columns: parsed.frame, produced: null };
    const before = flows.runtime("taps")?.status.late;
    const outcome = flows.apply(whole, () => undefined, 7);
    expect(outcome.applied).toBe(true);
    for (const { begin, lines } of outcome.late ?? []) {
      expect(begin).toBe(before);
      kept.push(...lines);
    }
  }
  const { late } = evaluate(
    taps,
    batches.map((batch) => batch.map((tap) => ({ ...tap }))),
  );
  expect(kept).toHaveLength(late);
  expect(late).toBeGreaterThan(100);
  const events = new Set(batches.flat().map(jsonOf));
  for (const line of kept) {
    const [, time, event = ""] =
      /^\{"at":7,"operator":"aggregate-1","input":0,"time":(-?\d+),"event":(.*)\}$/.exec(line) ?? [];
    const at = BigInt(/"at":(-?\d+)\}$/.exec(event)?.[1] ?? 0);
    expect(BigInt(time ?? 0)).toBe(at < FIRST ? FIRST : at);
    expect(events.has(event)).toBe(true);
  }
});

it("refuses a batch of which more comes too late than can be kept, and takes nothing of it", () => {
  const flows = new Flows(app, kernels);
  const apply = (from: number, batch: readonly Tap[]) => {
    const parsed = kernels.parseEvents(new TextEncoder().encode(batch.map(jsonOf).join("\n")), Taps.columns);
    if (!parsed.ok) throw new Error("the test's events are wrong");
    const id = { requestId: `c${String(from).padStart(31, "0")}`, fingerprintLow: 0, fingerprintHigh: 0 };
    const whole = { id, clientId: true, stream: "taps", rows: batch.length, columns: parsed.frame, produced: null };
    return flows.apply(whole, () => undefined, 7);
  };
  apply(0, [{ item: "a", amount: 1n, at: 1_000n }]);
  const late = Array.from({ length: 1_000 }, () => ({ item: "x".repeat(9_000), amount: 1n, at: 0n }));
  const refused = apply(1, late);
  expect([refused.applied, refused.status, refused.body.includes("transaction-too-large")]).toEqual([false, 500, true]);
  expect(flows.runtime("taps")?.status).toMatchObject({ events: 1, late: 0 });
  expect(apply(2, late.slice(0, 500)).late?.[0]?.lines).toHaveLength(500);
});

it("counts as the kernel does before the first time that an event counts for", () => {
  const before = -(2n ** 63n);
  const flows = new Flows(app, kernels);
  for (const [round, at] of [FIRST + 14n, FIRST + 5n, before, FIRST + 20n, before].entries()) {
    const parsed = kernels.parseEvents(new TextEncoder().encode(jsonOf({ item: "a", amount: 1n, at })), Taps.columns);
    if (!parsed.ok) throw new Error("the test's events are wrong");
    const id = { requestId: `c${String(round).padStart(31, "0")}`, fingerprintLow: 0, fingerprintHigh: 0 };
    const batch = { id, clientId: true, stream: "taps", rows: 1, columns: parsed.frame, produced: null };
    const outcome = flows.apply(batch, () => undefined, 7);
    const lines = [expect.stringContaining(`"time":${FIRST},`)];
    expect(outcome).toMatchObject({ applied: true, late: round < 4 ? [] : [{ begin: 0, lines }] });
  }
});
