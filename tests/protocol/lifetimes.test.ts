/** State with a time to live through versions of the code that declare none: what those have written must not expire at an old time. */
import { expect, test } from "vitest";
import * as z from "zod";
import { collection, contract, fn, noData, query, service } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const Note = contract("note", {
  write: fn({ input: z.string() }),
  put: fn({ input: z.string() }),
  clear: fn(),
  read: query({ output: z.array(z.string()) }),
});
const note = (ttl?: string) =>
  service(
    Note,
    {
      state: () => ({ text: "" }),
      collections: { lines: collection<string, string>() },
      ...(ttl === undefined ? {} : { ttl: { after: "write", duration: ttl as "1m" } }),
    },
    {
      write: (ctx, text) => void (ctx.state.text = text),
      put: (ctx, line) => ctx.collections.lines.set(line, line),
      clear: (ctx) => ctx.clear(),
      read: (ctx) =>
        [ctx.state.text, ...ctx.collections.lines.range().map(([, line]) => line)].filter((text) => text !== ""),
    },
  );

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

class Run extends LonePartition {
  write = (key: string, text: string) => this.call({ service: "note", key, name: "write", input: text });
  put = (key: string, line: string) => this.call({ service: "note", key, name: "put", input: line });
  async read(key: string): Promise<unknown> {
    return JSON.parse((await this.call({ service: "note", key, name: "read" })).body);
  }
}

test("what was written while no time to live was declared stays, whenever it would have expired before", async () => {
  const run = new Run([note("1h")]);
  for (const key of ["untouched", "written", "put", "cleared"]) await run.write(key, "old");
  await run.redeploy([note()]);
  await run.write("written", "new");
  await run.put("put", "new");
  await run.call({ service: "note", key: "cleared", name: "clear" });
  await run.write("cleared", "new");
  await run.write("fresh", "new");
  await run.redeploy([note("1h")]);
  // Long after all of it would have expired, and been removed.
  await run.pass(3 * HOUR, MINUTE);
  expect(await run.read("untouched")).toEqual([]);
  expect(await run.read("written")).toEqual(["new"]);
  expect(await run.read("put")).toEqual(["old", "new"]);
  expect(await run.read("cleared")).toEqual(["new"]);
  expect(await run.read("fresh")).toEqual(["new"]);
});

test("what is written again under a time to live expires again", async () => {
  const run = new Run([note("1h")]);
  await run.write("a", "old");
  await run.redeploy([note()]);
  await run.write("a", "new");
  await run.redeploy([note("2h")]);
  await run.pass(HOUR, MINUTE);
  await run.put("a", "line");
  await run.pass(2 * HOUR - MINUTE, MINUTE);
  expect(await run.read("a")).toEqual(["new", "line"]);
  await run.pass(2 * MINUTE, MINUTE);
  expect(await run.read("a")).toEqual([]);
});

const Lease = contract("lease", {
  hold: fn({ input: z.string() }),
  mark: fn({ input: z.string() }),
  vain: fn({ input: z.string(), refusals: { no: noData } }),
  tried: fn({ input: z.string() }),
  holder: query({ output: z.string() }),
});
const lease = service(
  Lease,
  { state: () => ({ holder: "" }), ttl: { after: "write", duration: "30m" } },
  {
    hold: (ctx, holder) => void (ctx.state = { holder }),
    mark: (ctx, holder) => void (ctx.state.holder = holder),
    vain(ctx, holder) {
      ctx.state = { holder };
      throw ctx.refuse("no");
    },
    async tried(ctx, holder) {
      await ctx.try(Lease, ctx.key).vain(holder);
    },
    holder: (ctx) => ctx.state.holder,
  },
);

test("what is assigned as it is lives on, since that is a write; what is changed in place to what it is does not", async () => {
  const run = new LonePartition([lease]);
  const call = (key: string, name: string, input?: unknown) => run.call({ service: "lease", key, name, input });
  const held = async (key: string) => JSON.parse((await call(key, "holder")).body) as unknown;
  for (const key of ["held", "marked", "tried"]) await call(key, "hold", "ann");
  await run.pass(20 * MINUTE, MINUTE);
  await call("held", "hold", "ann");
  await call("marked", "mark", "ann");
  // It is undone, and so it was no write.
  expect((await call("tried", "tried", "ann")).status).toBe(200);
  await run.pass(15 * MINUTE, MINUTE);
  expect([await held("held"), await held("marked"), await held("tried")]).toEqual(["ann", "", ""]);
  await run.pass(40 * MINUTE, MINUTE);
  expect(await held("held")).toBe("");
});

test("what is assigned as it begins is kept for its time like anything else, also where another has expired", async () => {
  const run = new LonePartition([lease]);
  const call = (key: string, name: string, input?: unknown) => run.call({ service: "lease", key, name, input });
  const lives = () => {
    const puts = run.durable.splice(0).flatMap((op) => (op.op === "record" ? [op.bytes] : []));
    return puts.some((bytes) => Buffer.from(bytes).includes("#ttl"));
  };
  await call("never", "mark", "");
  expect(lives()).toBe(false);
  await call("never", "hold", "");
  expect(lives()).toBe(true);
  await call("was", "hold", "ann");
  run.partition.clock += HOUR;
  lives();
  await call("was", "hold", "");
  expect(lives()).toBe(true);
  expect(JSON.parse((await call("was", "holder")).body)).toBe("");
});

test("a service that never had one writes no more than before", async () => {
  const run = new Run([note()]);
  await run.write("a", "text");
  const puts = run.durable.flatMap((op) => (op.op === "record" ? [op.bytes] : []));
  expect(puts.some((bytes) => Buffer.from(bytes).includes("#ttl") || Buffer.from(bytes).includes("#lifetimes"))).toBe(
    false,
  );
});

const Held = contract("held", {
  touch: fn({ output: z.boolean() }),
  /** Touches another key when it may go on: by a time that is past then. */
  late: fn({ input: z.string() }),
});

test.each(["use", "write"] as const)(
  "what one has kept after its %s another that waited does not take away",
  async (after) => {
    let goOn = (): void => {};
    const waits = new Promise<void>((resolve) => (goOn = resolve));
    const held = service(
      Held,
      { state: () => ({ n: 0 }), ttl: { after, duration: "1m" } },
      {
        touch: (ctx) => ctx.state.n++ > 0,
        late: async (ctx, key) => {
          await waits;
          await ctx.call(Held, key).touch();
        },
      },
    );
    const run = new LonePartition([held]);
    run.send([{ service: "held", key: "a", name: "late", input: "b" }]);
    await run.settle();
    run.partition.clock += 10_000;
    const touch = async () => (await run.call({ service: "held", key: "b", name: "touch" })).body;
    expect(await touch()).toBe("false");
    goOn();
    await run.settle();
    run.partition.clock += MINUTE - 1;
    expect(await touch()).toBe("true");
  },
);

test("a time to live that has become shorter counts from the next write", async () => {
  const run = new Run([note("3h")]);
  await run.write("a", "old");
  await run.redeploy([note("1h")]);
  await run.write("a", "new");
  await run.pass(HOUR - MINUTE, MINUTE);
  expect(await run.read("a")).toEqual(["new"]);
  await run.pass(2 * MINUTE, MINUTE);
  expect(await run.read("a")).toEqual([]);
});
