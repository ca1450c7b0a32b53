/** Timers of user code: in the order of their times, also those that others set and cancel; and where they set each other without end. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TIMERS_SET_MAX, TIMERS_STANDING_MAX } from "../../dataflow/limits.ts";
import { DueTimers } from "../../dataflow/operators/due-timers.ts";
import { setTimer, takeDue } from "../../dataflow/operators/timers.ts";
import { flow, int64, stream, text, timestamp, type ProcessContext } from "../../sdk/index.ts";
import { FlowBench, storeOf } from "./support/flow-bench.ts";

const Pings = stream("pings", { id: text(), at: timestamp() });
const FIELDS = { id: text(), at: timestamp(), n: int64() };
type Context = ProcessContext<number, typeof FIELDS>;

/** Each event sets a timer of its time; what fires is in the view by its number. */
function timersOf(onTimer: (ctx: Context, at: number) => void): FlowBench {
  return new FlowBench(
    flow("f")
      .from(Pings, { time: "at" })
      .keyBy("id")
      .shards(1)
      .process({
        fields: FIELDS,
        state: () => 0,
        onEvent: (ctx, event) => ctx.timer(Number(event.at)),
        onTimer(ctx, at) {
          ctx.state += 1;
          onTimer(ctx, at);
          ctx.emit({ id: String(ctx.key), at, n: ctx.state });
        },
      })
      .toView("fired", { key: ["id", "n"] }),
  );
}
const ping = (id: string, at: number) => ({ id, at });
const fired = async (bench: FlowBench, id = "a") =>
  ((await bench.view("f", "fired")) as Array<{ id: string; at: number }>)
    .filter((row) => row.id === id)
    .map(({ at }) => at);

describe("timers that are due together", () => {
  test("fire in the order of their times, and those that they set among them", async () => {
    const bench = timersOf((ctx, at) => {
      if (at === 10) for (const next of [25, 15, 5, 40, 15]) ctx.timer(next);
    });
    await bench.ingest("pings", [ping("a", 20), ping("a", 10), ping("a", 30)]);
    expect(await fired(bench)).toEqual([10, 5, 15, 20, 25, 30]);
    bench.restart();
    await bench.ingest("pings", [ping("b", 50)]);
    expect(await fired(bench)).toEqual([10, 5, 15, 20, 25, 30, 40]);
  });

  test("do not fire when one before has cancelled them, unless they are set again", async () => {
    const bench = timersOf((ctx, at) => {
      if (at !== 10) return;
      for (const next of [20, 30, 15, 90]) ctx.cancelTimer(next);
      ctx.timer(12);
      ctx.cancelTimer(12);
      ctx.timer(30);
    });
    await bench.ingest(
      "pings",
      [10, 15, 20, 30, 40].map((at) => ping("a", at)),
    );
    expect(await fired(bench)).toEqual([10, 30, 40]);
  });

  test("are the key's own: others' go on", async () => {
    const bench = timersOf((ctx) => {
      if (ctx.key === "a") ctx.cancelTimer(30);
    });
    await bench.ingest("pings", [ping("a", 10), ping("a", 30), ping("b", 30)]);
    expect(await fired(bench)).toEqual([10]);
    expect(await fired(bench, "b")).toEqual([30]);
  });

  test("may set the next one as often as time has gone on for it", async () => {
    let calls = 0;
    const bench = timersOf((ctx, at) => {
      calls++;
      if (ctx.key === "a") ctx.timer(at + 10);
    });
    await bench.ingest("pings", [ping("a", 0)]);
    await bench.ingest("pings", [ping("b", 50 * TIMERS_STANDING_MAX)]);
    expect(calls).toBe(5 * TIMERS_STANDING_MAX + 2);
  });
});

test("timers that set and cancel others fire as a sorted list has it", () => {
  const at = fc.nat({ max: 60 });
  const act = fc.record({ set: fc.boolean(), at });
  fc.assert(
    fc.property(
      fc.uniqueArray(at, { maxLength: 20 }),
      fc.array(fc.array(act, { maxLength: 4 })),
      at,
      (first, acts, after) => {
        const store = storeOf(new Map());
        for (const each of first) setTimer(store, each, "a");
        const timers = new DueTimers(store, after);
        const model = new Set(first);
        for (let fired = 0; ; fired++) {
          const next = [...model].sort((a, b) => a - b).find((each) => each <= after);
          const timer = timers.take();
          expect(timer?.at).toBe(next);
          if (timer === null) break;
          model.delete(timer.at);
          for (const each of acts[fired] ?? []) {
            if (each.set) timers.set(each.at, "a");
            else timers.cancel(each.at, "a");
            if (each.set) model.add(each.at);
            else model.delete(each.at);
          }
        }
        expect(takeDue(store, Infinity).map((timer) => timer.at)).toEqual([...model].sort((a, b) => a - b));
      },
    ),
    { numRuns: 2_000 },
  );
});

describe("timers without end", () => {
  test.each([
    ["its own time", (ctx: Context, at: number) => ctx.timer(at)],
    ["earlier ones", (ctx: Context, at: number) => ctx.timer(at - 1)],
    ["to and fro", (ctx: Context, at: number) => ctx.timer(at % 2 === 0 ? at - 1 : at + 1)],
  ])("fail the batch whole, for %s, and no other", async (_name, onTimer) => {
    let calls = 0;
    const bench = timersOf((ctx, at) => {
      calls++;
      if (ctx.key === "loop") onTimer(ctx, at);
    });
    await bench.ingest("pings", [ping("a", 10)]);
    await bench.undone(async () => {
      await expect(bench.ingest("pings", [ping("a", 20), ping("loop", 20), ping("z", 30)])).rejects.toMatchObject({
        type: "too-many-timers",
        message: expect.stringContaining(`${TIMERS_STANDING_MAX}`) as unknown,
      });
    });
    expect(calls).toBeLessThan(2 * TIMERS_STANDING_MAX + 10);
    expect(await fired(bench)).toEqual([10]);
    await bench.ingest("pings", [ping("a", 20), ping("z", 30)]);
    expect(await fired(bench)).toEqual([10, 20]);
  });

  test("fail it also where the handler catches all", async () => {
    const bench = timersOf((ctx, at) => {
      try {
        ctx.timer(at);
      } catch {
        // Nothing of this is thrown here.
      }
    });
    await expect(bench.ingest("pings", [ping("a", 10)])).rejects.toMatchObject({ type: "too-many-timers" });
  });

  test("fail it where one handler sets them all", async () => {
    const bench = timersOf((ctx, at) => {
      for (let n = 0; n < 10 * TIMERS_STANDING_MAX; n++) ctx.timer(at - n);
    });
    await expect(bench.ingest("pings", [ping("a", 10)])).rejects.toMatchObject({ type: "too-many-timers" });
  });

  test("just as many are taken", async () => {
    const bench = timersOf((ctx, at) => {
      if (ctx.state <= TIMERS_STANDING_MAX) ctx.timer(at);
    });
    await bench.ingest("pings", [ping("a", 10)]);
    expect((await fired(bench)).length).toBe(1_000);
  });

  test("fail it where time goes on with each, but there are more than a batch can take", async () => {
    let calls = 0;
    const bench = timersOf((ctx, at) => {
      calls++;
      ctx.timer(at + 1);
    });
    await bench.ingest("pings", [ping("a", 0)]);
    await expect(bench.ingest("pings", [ping("b", 2 * TIMERS_SET_MAX)])).rejects.toMatchObject({
      type: "too-many-timers",
    });
    expect(calls).toBe(TIMERS_SET_MAX + 2);
  });
});
