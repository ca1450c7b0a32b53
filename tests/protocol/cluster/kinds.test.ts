/** Two versions of the code side by side, of which one knows a function as a query and the other as one that may write. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { contract, fn, query, service, type ServiceDefinition } from "../../../sdk/index.ts";
import { Cluster } from "../support/cluster.ts";
import { clientId } from "../support/ingest-frame.ts";
import { type Answered, kernels } from "../support/lone-partition.ts";

const key = z.string();
const output = z.number();
const rest = {
  ask: query({ input: key, output }),
  use: fn({ input: key, output }),
  tell: fn({ input: key }),
  look: query({ output }),
};
const Reads = contract("seen", { ...rest, get: query({ output }) });
const Writes = contract("seen", { ...rest, get: fn({ output }), ask: fn({ input: key, output }) });
const state = () => ({ n: 0 });
const reads = service(
  Reads,
  { state },
  {
    ask: (ctx, to) => ctx.call(Reads, to).get(),
    use: (ctx, to) => ctx.call(Reads, to).get(),
    tell: () => undefined,
    get: (ctx) => ctx.state.n,
    look: (ctx) => ctx.state.n,
  },
);
const writes = service(
  Writes,
  { state },
  {
    ask: (ctx, to) => ctx.call(Writes, to).get(),
    use: (ctx, to) => ctx.call(Writes, to).get(),
    tell: (ctx, to) => void ctx.send(Writes, to).get(),
    get: (ctx) => (ctx.state.n += 1),
    look: (ctx) => ctx.state.n,
  },
);

/** What is under way comes to its end: without a message that waits, which has none. */
async function go(c: Cluster, seconds: number): Promise<void> {
  for (let at = 0; at < seconds * 4; at++) {
    await c.run();
    await c.pass(250);
  }
}

/** Partition 0 has the one code, partition 1 the other. */
async function sideBySide(zero: ServiceDefinition, one: ServiceDefinition): Promise<Cluster> {
  const c = await Cluster.up(2, [zero]);
  await deploy(c, one);
  return c;
}

/** Partition 1 goes on with this code. */
async function deploy(c: Cluster, one: ServiceDefinition): Promise<void> {
  const { app } = c;
  Object.assign(c, { app: new Cluster(2, [one]).app });
  await c.restart(1);
  await go(c, 10);
  Object.assign(c, { app });
}

let ids = 0;
async function call(c: Cluster, peer: number, name: string, input = "", flag = 0): Promise<Answered | undefined> {
  const fields = [clientId(++ids), "seen", c.place(peer)[1], name, input === "" ? "" : JSON.stringify(input)];
  const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, INVOKE_FLAG.clientId | flag, 0, 0], fields });
  const answers = await c.give(peer, { kind: "invoke", frame });
  await go(c, 2);
  return answers()?.[0];
}

describe("a function that may write there, and is called as a query", () => {
  test.each([
    ["a snapshot", INVOKE_FLAG.snapshot],
    ["a query that locks", 0],
  ])("by %s, is not run: the query is to be asked again", async (_by, flag) => {
    const c = await sideBySide(reads, writes);
    // Behind an epoch there is something for a snapshot to be as of.
    expect((await call(c, 0, "use", c.place(1)[1]))?.body).toBe("1");
    const asked = await call(c, 0, "ask", c.place(1)[1], flag);
    expect(c.log.filter((line) => line === "0>1 call")).toHaveLength(2);
    expect([asked?.status, asked?.body]).toEqual([503, expect.stringContaining("seen.get is no query in the version")]);
    expect((await call(c, 1, "look"))?.body).toBe("1");
  });

  test("by a function that may write itself, is run as what it is there", async () => {
    const c = await sideBySide(reads, writes);
    expect((await call(c, 0, "use", c.place(1)[1]))?.body).toBe("1");
    expect((await call(c, 1, "look"))?.body).toBe("1");
  });
});

describe("a query there", () => {
  test("that is called as a function that may write reads", async () => {
    const c = await sideBySide(writes, reads);
    expect((await call(c, 0, "ask", c.place(1)[1]))?.body).toBe("0");
    expect((await call(c, 1, "look"))?.body).toBe("0");
  });

  test("that is sent a message does not count as told: the message waits for code in which it does something", async () => {
    const c = await sideBySide(writes, reads);
    expect((await call(c, 0, "tell", c.place(1)[1]))?.status).toBe(200);
    await go(c, 20);
    // The older code has looked at it, and has not counted it as done.
    expect(c.log.filter((entry) => entry === "1>0 posted").length).toBeGreaterThan(1);
    await deploy(c, writes);
    expect((await call(c, 1, "look"))?.body).toBe("1");
  });
});
