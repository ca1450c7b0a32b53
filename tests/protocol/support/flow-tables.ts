/** Tables of events in and results out, played against a flow as it is, with memory lost before every batch, and with every batch undone and done again. */
import { describe, expect, test } from "vitest";
import { type FlowDefinition, int64, stream, text, timestamp } from "../../../sdk/index.ts";
import { FlowBench } from "./flow-bench.ts";

export const In = stream("in", { k: text(), v: int64(), at: timestamp() });
export const Other = stream("other", { k: text(), w: int64(), at: timestamp() });

export interface Step {
  /** Default `in`. */
  readonly of?: "in" | "other";
  /** `[k, v, at]` */
  readonly events: ReadonlyArray<readonly [string, number, number]>;
  /** Milliseconds that the server's clock goes on before. */
  readonly later?: number;
  /** What the sink gives, each as the list of its values, in the order of these texts. */
  readonly out?: ReadonlyArray<readonly unknown[]>;
  readonly late?: number;
}

export const HOW = [
  "as it is",
  "with memory lost before every batch",
  "with every batch undone and done again",
] as const;

export async function play(bench: FlowBench, how: (typeof HOW)[number], steps: readonly Step[]): Promise<void> {
  for (const [number, { of = "in", events, later = 0, out, late = 0 }] of steps.entries()) {
    bench.now += later;
    const value = of === "in" ? "v" : "w";
    const batch = events.map(([k, v, at]) => ({ k, [value]: v, at }));
    if (how === HOW[1]) bench.restart();
    if (how === HOW[2]) await bench.undone(() => bench.ingest(of, batch));
    const counted = await bench.ingest(of, batch);
    expect([number, Object.values(counted).reduce((sum, one) => sum + one, 0)]).toEqual([number, late]);
    const given = bench.taken("out").map((event) => Object.values(event as object));
    if (out !== undefined) expect([number, sorted(given)]).toEqual([number, sorted(out)]);
  }
}

const sorted = (rows: ReadonlyArray<readonly unknown[]>): unknown[] =>
  [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

export function table(
  name: string,
  make: () => FlowDefinition,
  steps: readonly Step[],
  after?: (bench: FlowBench) => Promise<void>,
): void {
  describe(name, () => {
    test.each(HOW)("%s", async (how) => {
      const bench = new FlowBench(make());
      await play(bench, how, steps);
      await after?.(bench);
    });
  });
}

export const Counted = stream("out", {
  k: text(),
  windowStart: timestamp(),
  windowEnd: timestamp(),
  n: int64(),
  total: int64(),
});
