/** User code with state that is deleted. */
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
