/** Messages whose function ends whoever runs it: they are given up like those that fail, and nobody else's are. */
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { LIMITS } from "../../protocol/limits.ts";
import { contract, effect, fn, outcome, query, reply, saga, service } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";
import { Cluster } from "./support/cluster.ts";
import { INVOKE, INVOKE_FLAG } from "../../protocol/wire/invoke.ts";
import { kernels } from "./support/lone-partition.ts";
import { useLimits } from "../support/limits.ts";

useLimits();
beforeEach(() => {
  runs = 0;
  deadlyRuns = Infinity;
  kill = () => {};
  untilSlow = () => Promise.resolve();
});

let runs = 0;
/** So many runs of the deadly function end whoever runs it. */
let deadlyRuns = Infinity;
let kill = (): void => {};
let untilSlow = (): Promise<void> => Promise.resolve();

const ATTEMPTS = 4;
const List = contract("list", {
  send: fn({ input: z.object({ to: z.string(), deadly: z.boolean(), n: z.int() }) }),
  slowly: fn({ input: z.object({ to: z.string(), n: z.int() }) }),
  later: fn({ input: z.object({ to: z.string(), n: z.int() }) }),
  add: fn({ input: z.int() }),
  slow: fn({ input: z.int() }),
  die: fn({ input: z.int() }),
  ask: fn({}),
  told: fn({ input: outcome() }),
  all: query({ output: z.array(z.number()) }),
});
const act = effect("act", { handler: () => {} });
const list = service(
  List,
  { state: (): number[] => [], messages: { maxAttempts: ATTEMPTS } },
  {
    send: (ctx, { to, deadly, n }) => void ctx.send(List, to)[deadly ? "die" : "add"](n),
    slowly: (ctx, { to, n }) => void ctx.send(List, to).slow(n),
    later: (ctx, { to, n }) => void ctx.send(List, to, { delay: 100 }).die(n),
    add: (ctx, n) => void ctx.state.push(n),
    /** Takes long enough for others to end who runs it. */
    slow: async (ctx, n) => {
      await untilSlow();
      ctx.state.push(n);
    },
    async die(ctx, n) {
      runs += 1;
      if (runs <= deadlyRuns) {
        kill();
        await new Promise(() => {});
      }
      ctx.state.push(n);
    },
    ask: (ctx) => void ctx.effect(act, undefined, reply(List, ctx.key, "told")),
    async told() {
      runs += 1;
      kill();
      await new Promise(() => {});
    },
    all: (ctx) => [...ctx.state],
  },
);

const doomed = saga("doomed", {
  steps: [
    { name: "first", run: () => 1, compensate: (ctx) => ctx.call(List, "undone").add(1) },
    {
      name: "second",
      run: async () => {
        kill();
        await new Promise(() => {});
      },
    },
  ],
});

class Run extends LonePartition {
  constructor() {
    super([list], { effects: [act], sagas: [doomed] });
    kill = () => void setImmediate(() => this.partition.crash());
  }
  post = (key: string, to: string, deadly: boolean, n = 0) =>
    this.call({ service: "list", key, name: "send", input: { to, deadly, n } });
  async all(key: string): Promise<unknown> {
    return JSON.parse((await this.call({ service: "list", key, name: "all" })).body);
  }
  async letters(): Promise<Array<{ function: string; attempts: Array<{ type: string }> }>> {
    const row = { service: "#dead", key: "list", name: "list", internal: true };
    const answer = await this.call({ ...row, input: { after: "", limit: 10 } });
    return (JSON.parse(answer.body) as { letters: [] }).letters;
  }
}

describe("a message that ends its partition each time", () => {
  test("is a dead letter after its tries, and those before that it had outlived, and its channel goes on", async () => {
    const run = new Run();
    const ticket = run.send([{ service: "list", key: "a", name: "send", input: { to: "x", deadly: true, n: 1 } }]);
    await run.settle();
    expect(run.replies.get(ticket)?.[0]?.status).toBe(200);
    await run.post("a", "x", false, 2);
    await run.post("b", "y", false, 3);
    await run.pass(200_000, 1_000);
    expect(runs).toBe(LIMITS.suspectRestarts + ATTEMPTS);
    expect([await run.all("x"), await run.all("y")]).toEqual([[2], [3]]);
    const letters = await run.letters();
    expect(letters.map((letter) => [letter.function, letter.attempts.map(({ type }) => type)])).toEqual([
      ["die", Array.from({ length: ATTEMPTS }, () => "interrupted")],
    ]);
    expect(run.partition.engine.machine.status.outbox).toBe(0);
  });

  test("is a dead letter also where it tells of the end of an effect", async () => {
    const run = new Run();
    // Else the outcome might be lost with its instance, and be made anew by the next.
    kill = () => void setImmediate(() => run.partition.crash(Infinity));
    run.send([{ service: "list", key: "a", name: "ask" }]);
    await run.settle();
    await run.pass(200_000, 1_000);
    expect(runs).toBe(LIMITS.suspectRestarts + ATTEMPTS);
    expect((await run.letters()).map((letter) => letter.function)).toEqual(["told"]);
    expect(run.partition.engine.machine.status.outbox).toBe(0);
  });

  test("ends the saga that goes on by it: what was done before is made up for", async () => {
    const run = new Run();
    await run.call({ service: "#saga.doomed", key: "s", name: "start", input: {}, internal: true });
    await run.pass(600_000, 1_000);
    const status = await run.call({ service: "#saga.doomed", key: "s", name: "status", internal: true });
    const failure = { type: "interrupted", step: "second" };
    expect(JSON.parse(status.body)).toMatchObject({ status: "compensated", failure });
    expect(await run.all("undone")).toEqual([1]);
  });

  test("is delivered when one of them gets through", async () => {
    deadlyRuns = LIMITS.suspectRestarts + 2;
    const run = new Run();
    run.send([{ service: "list", key: "a", name: "send", input: { to: "x", deadly: true, n: 1 } }]);
    await run.settle();
    await run.pass(200_000, 1_000);
    expect([runs, await run.all("x"), await run.letters()]).toEqual([deadlyRuns + 1, [1], []]);
  });

  test("costs those nothing that wait beside it", async () => {
    const run = new Run();
    const rows = Array.from({ length: 9 }, (_, n) => ({
      service: "list",
      key: `k${n}`,
      name: "send",
      input: { to: `t${n}`, deadly: n === 4, n },
    }));
    run.send(rows);
    await run.settle();
    await run.pass(200_000, 1_000);
    for (let n = 0; n < 9; n++) expect(await run.all(`t${n}`)).toEqual(n === 4 ? [] : [n]);
    expect((await run.letters()).map((letter) => letter.function)).toEqual(["die"]);
  });
});

/** As the shell does it: a flush begins when everything before it is durable. */
class GroupCommit extends Run {
  override async settle(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      // Confirming comes last of them, flushing first.
      const move = this.partition.moves().at(-1);
      if (move === undefined) return;
      move();
    }
  }
}

describe("a message that ends its partition in the very turn in which it is run", () => {
  test.each(["later", "send"] as const)("is a dead letter after its tries when it came of %s", async (name) => {
    const run = new GroupCommit();
    // Of what is not confirmed by then nothing is kept.
    kill = () => run.partition.crash(0);
    const input = name === "later" ? { to: "x", n: 1 } : { to: "x", n: 1, deadly: true };
    run.send([{ service: "list", key: "a", name, input }]);
    await run.settle();
    await run.pass(100_000, 500);
    expect(runs).toBe(LIMITS.suspectRestarts + ATTEMPTS);
    expect((await run.letters()).map((letter) => letter.function)).toEqual(["die"]);
    expect(run.partition.engine.machine.status).toMatchObject({ outbox: 0, timers: 0 });
  });
});

class Domain {
  readonly c: Cluster;
  #ids = 0;
  constructor(c: Cluster) {
    this.c = c;
  }
  async ask(
    partition: number,
    name: string,
    input?: unknown,
    key = this.c.place(partition)[1],
  ): Promise<() => { status: number; body: string } | undefined> {
    const id = `c${(++this.#ids).toString(16).padStart(31, "d")}`;
    const fields = [id, "list", key, name, input === undefined ? "" : JSON.stringify(input)];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [1, INVOKE_FLAG.clientId, 0, 0], fields });
    const answer = await this.c.give(partition, { kind: "invoke", frame });
    return () => answer()?.at(-1);
  }
  async all(partition: number, key: string): Promise<unknown> {
    const answer = await this.ask(partition, "all", undefined, key);
    await this.c.settle();
    return JSON.parse(answer()?.body ?? "null");
  }
  /** Time passes, and whoever was killed starts again. */
  async pass(seconds: number, isDead: () => boolean, restart: () => Promise<void>): Promise<void> {
    for (let n = 0; n < seconds * 4; n++) {
      await this.c.run();
      if (isDead()) await restart();
      await this.c.pass(250);
    }
  }
}

describe("a message that ends the partition of its target each time, while its sender lives", () => {
  test("is a dead letter, and others of its sender are delivered", async () => {
    const d = new Domain(await Cluster.up(2, [list]));
    let dead = false;
    kill = () => void (dead = true);
    const to = d.c.place(1)[1];
    await d.ask(0, "send", { to, deadly: true, n: 1 });
    await d.ask(0, "send", { to, deadly: false, n: 2 });
    const restart = async () => {
      dead = false;
      await d.c.restart(1);
    };
    await d.pass(150, () => dead, restart);
    expect(runs).toBeLessThanOrEqual(LIMITS.suspectRestarts + ATTEMPTS);
    expect(runs).toBeGreaterThanOrEqual(ATTEMPTS);
    const all = await d.ask(1, "all");
    await d.c.settle();
    expect([JSON.parse(all()?.body ?? ""), d.c.node(0).status.outbox]).toEqual([[2], 0]);
  });
});

describe("a message that came with its sender's key and ends its partition each time", () => {
  test("is a dead letter after its tries, and those before that it had outlived there", async () => {
    const d = new Domain(await Cluster.up(2, [list], [], 2));
    const [sender, to, other] = [d.c.place(1)[1], d.c.place(0)[1], d.c.place(0, 1)[1]];
    // It is under way until the move, and ends nobody.
    await d.ask(1, "send", { to, deadly: true, n: 1 }, sender);
    await d.c.run();
    expect(runs).toBe(1);
    d.c.coordinator.rescale(1);
    let dead = false;
    kill = () => void (dead = true);
    const restart = async () => {
      dead = false;
      await d.c.restart(0);
    };
    await d.pass(10, () => dead, restart);
    expect(d.c.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 1, phase: "still" });
    await d.ask(0, "send", { to: other, deadly: false, n: 2 }, sender);
    await d.pass(150, () => dead, restart);
    expect(runs).toBeLessThanOrEqual(1 + LIMITS.suspectRestarts + ATTEMPTS);
    expect([await d.all(0, to), await d.all(0, other), d.c.node(0).status.outbox]).toEqual([[], [2], 0]);
  });
});

describe("messages that others keep for the target of one that ends it each time", () => {
  test("are delivered, though they are under way then", async () => {
    const d = new Domain(await Cluster.up(3, [list]));
    let dead = false;
    kill = () => void (dead = true);
    const waiting: Array<() => void> = [];
    untilSlow = () => new Promise((resolve) => waiting.push(resolve));
    const restart = async () => {
      dead = false;
      waiting.length = 0;
      await d.c.restart(2);
    };
    const isDead = () => {
      // They go on when some time has passed in which nobody was lost.
      if (!dead) for (const goOn of waiting.splice(0)) goOn();
      return dead;
    };
    const to = d.c.place(2)[1];
    const others = [1, 2, 3].map((number) => d.c.place(2, number)[1]);
    await d.ask(0, "send", { to, deadly: true, n: 1 });
    for (const [n, other] of others.entries()) await d.ask(1, "slowly", { to: other, n });
    await d.pass(250, isDead, restart);
    expect(runs).toBeLessThanOrEqual(LIMITS.suspectRestarts + ATTEMPTS);
    expect([d.c.node(0).status.outbox, d.c.node(1).status.outbox]).toEqual([0, 0]);
    for (const [n, other] of others.entries()) expect(await d.all(2, other)).toEqual([n]);
  });
});
