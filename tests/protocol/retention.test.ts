/** How long results are kept: those of clients as the app says, those of messages whatever it says, and no more than there is room for. */
import { describe, expect, test } from "vitest";
import { ANSWER_FLAG } from "../../protocol/wire/answer.ts";
import { contract, defineApp, fn, service } from "../../sdk/index.ts";
import * as z from "zod";
import { LonePartition, type Answered } from "./support/lone-partition.ts";
import { useLimits } from "../support/limits.ts";

const limits = useLimits();

const Count = contract("count", {
  add: fn({ output: z.number() }),
  pad: fn({ input: z.string() }),
  poke: fn({ input: z.string() }),
});
const count = service(
  Count,
  { state: () => ({ n: 0, pad: "" }) },
  {
    add: (ctx) => (ctx.state.n += 1),
    pad: (ctx, pad) => void (ctx.state.pad = pad),
    poke: (ctx, key) => void ctx.send(Count, key).add(),
  },
);

const MINUTE = 60_000;
/** None of those that the partition's double makes. */
const id = (n: number) => `c${String(n).padStart(31, "f")}`;
const at = { service: "count", key: "a" };

class Run extends LonePartition {
  #pads = 0;
  add = (n: number): Promise<Answered> => this.call({ ...at, name: "add", id: id(n) });

  /** Folds, and drops what has expired: which takes another fold. */
  async fold(): Promise<void> {
    for (let n = 0; n < 6; n++) {
      await this.call({ service: "count", key: "pad", name: "pad", input: `${++this.#pads} ${"x".repeat(5_000)}` });
      this.partition.pass(0);
      await this.settle();
    }
  }
}

describe("results of Idempotency-Keys", () => {
  test.each([
    [undefined, 24 * 60],
    ["2m", 2],
    ["3d", 3 * 24 * 60],
  ] as const)("with a retention of %s are kept for %i minutes", async (resultRetention, minutes) => {
    Object.assign(limits, { foldBytes: 2_000, resultSlotMs: MINUTE });
    const run = new Run([count], resultRetention === undefined ? {} : { resultRetention });
    expect((await run.add(1)).body).toBe("1");
    await run.fold();
    run.partition.clock += (minutes - 1) * MINUTE;
    await run.fold();
    expect(await run.add(1)).toMatchObject({ body: "1", flags: ANSWER_FLAG.replayed });
    run.partition.clock += 3 * MINUTE;
    await run.fold();
    await run.fold();
    expect(await run.add(1)).toMatchObject({ body: "2", flags: 0 });
  });

  test("beyond their bound are not begun, and all else goes on", async () => {
    Object.assign(limits, { foldBytes: 2_000 });
    const run = new Run([count]);
    await run.add(1);
    await run.fold();
    const { maxResultsBytes } = limits;
    Object.assign(limits, { maxResultsBytes: 1 });
    const refused = await run.add(2);
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([
      503,
      { type: "/problems/overloaded", retryable: true },
    ]);
    expect((await run.add(1)).body).toBe("1");
    Object.assign(limits, { maxResultsBytes });
    expect((await run.add(2)).body).toBe("2");
  });

  test.each(["59s", "31d", "soon"])("are not kept for %s", (resultRetention) => {
    expect(() => defineApp({ services: [count], resultRetention: resultRetention as "1m" })).toThrow("resultRetention");
  });
});
