/** User code with state: a state that is deleted, and code that goes on behind its call. */
import { describe, expect, test } from "vitest";
import { flow, int64, type ProcessContext, stream, text, timestamp } from "../../sdk/index.ts";
import { FlowBench } from "./support/flow-bench.ts";

const Pings = stream("pings", { id: text(), at: timestamp() });
const Counts = stream("counts", { id: text(), n: int64(), at: timestamp() });
type Context = ProcessContext<{ n: number } | undefined, typeof Counts.fields>;
type Handler = (ctx: Context, at: number) => void;
const nothing: Handler = () => undefined;

function codeOf({ onEvent = nothing, onTimer = nothing }: { onEvent?: Handler; onTimer?: Handler }): FlowBench {
  return new FlowBench(
    flow("f")
      .from(Pings, { time: "at" })
      .keyBy("id")
      .process<typeof Counts.fields, { n: number } | undefined>({
        fields: Counts.fields,
        state: () => ({ n: 0 }),
        onEvent: (ctx, event) => onEvent(ctx, Number(event.at)),
        onTimer,
      })
      .toStream(Counts),
  );
}
const ping = (id: string, at: number) => ({ id, at });
const pings = (id: string) => [1, 2, 3, 4, 5].map((at) => ping(id, at));

/** Each second call deletes the state. */
const counted: Handler = (ctx, at) => {
  const state = ctx.state as { n: number };
  state.n += 1;
  ctx.emit({ id: String(ctx.key), n: state.n, at });
  if (state.n === 2) ctx.state = undefined;
};
const counts = (bench: FlowBench) => (bench.taken("counts") as Array<{ n: bigint }>).map(({ n }) => Number(n));

describe("a state that is deleted begins anew", () => {
  test("with the key's next event, wherever a batch ends", async () => {
    const bench = codeOf({ onEvent: counted });
    await bench.ingest("pings", pings("a"));
    expect(counts(bench)).toEqual([1, 2, 1, 2, 1]);
    for (const each of pings("b")) {
      await bench.ingest("pings", [each]);
      bench.restart();
    }
    expect(counts(bench)).toEqual([1, 2, 1, 2, 1]);
  });

  test("with the key's next timer", async () => {
    const bench = codeOf({ onEvent: (ctx, at) => ctx.timer(at), onTimer: counted });
    await bench.ingest("pings", pings("a"));
    expect(counts(bench)).toEqual([1, 2, 1, 2, 1]);
  });
});

describe("code that goes on behind its call", () => {
  const failure = (message: RegExp): unknown =>
    expect.objectContaining({ type: "internal-error", message: expect.stringMatching(message) });

  test.each([
    ["onEvent", { onEvent: async () => undefined }],
    ["onTimer", { onEvent: (ctx: Context, at: number) => ctx.timer(at), onTimer: async () => undefined }],
  ])("fails the batch: %s returns a promise", async (name, code) => {
    const bench = codeOf(code);
    await expect(bench.ingest("pings", pings("a"))).rejects.toEqual(
      failure(new RegExp(`^${name} of process\\(\\) returned a promise`)),
    );
  });

  test("has a context no more: neither what it does nor what it asks for counts", async () => {
    const tried: unknown[] = [];
    const bench = codeOf({
      async onEvent(ctx, at) {
        await Promise.resolve();
        const uses = [
          () => ctx.state,
          () => (ctx.state = { n: 7 }),
          () => ctx.timer(at),
          () => ctx.cancelTimer(at),
          () => ctx.emit({ id: "late", n: 1, at }),
        ];
        for (const use of uses) {
          try {
            tried.push(use());
          } catch (error) {
            tried.push(error);
          }
        }
        // Heard by nobody, and no rejection that nobody handles.
        ctx.timer(at);
      },
    });
    await expect(bench.ingest("pings", [ping("a", 1)])).rejects.toEqual(failure(/returned a promise/));
    await Promise.resolve();
    expect(tried).toEqual(new Array(5).fill(failure(/ctx of process\(\) is used when its function has returned/)));
  });

  test("fails the batch where one event uses the context of another", async () => {
    let first: Context | undefined;
    const bench = codeOf({ onEvent: (ctx, at) => void (first ??= ctx).timer(at) });
    await expect(bench.ingest("pings", pings("a"))).rejects.toEqual(failure(/when its function has returned/));
  });
});
