/** Of effects as they are kept: what is told of their ends, how often they are begun, and whose turn it is. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { type Message, messageId } from "../../protocol/outbox/message.ts";
import { Lanes } from "../../protocol/outside/lanes.ts";
import { OutsideRunner } from "../../protocol/outside/runner.ts";
import { outcomeLetter, outsideLetter } from "../../protocol/outside/work.ts";
import type { EffectDefinition } from "../../sdk/effect.ts";
import { contract, effect, fn, outcome, query, reply, service, webhook } from "../../sdk/index.ts";
import { VALUE_MAX_DEPTH } from "../../sdk/limits.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";
import * as z from "zod";
import { LonePartition } from "./support/lone-partition.ts";
import { useLimits } from "../support/limits.ts";

const limits = useLimits();

function nested(depth: number): string {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return encodeValue(value);
}

function told(coded: string): unknown {
  const to = { service: "orders", key: "o1", name: "mailed", about: "mail" };
  return decodeValue(outcomeLetter("", to, { ok: true, value: coded }).input);
}

describe("the end of an effect", () => {
  test("is told with its result and what it is about", () => {
    expect(told(encodeValue({ id: 7n }))).toEqual({ ok: true, value: { id: 7n }, about: "mail" });
    expect(told(encodeValue(undefined))).toEqual({ ok: true, about: "mail" });
  });

  // Thrown at, the partition that settles it would fail, begin anew, run the effect again, and fail again.
  test("is a failure where its result is too deep to be told", () => {
    expect(told(nested(VALUE_MAX_DEPTH - 1))).toMatchObject({ ok: true });
    expect(told(nested(VALUE_MAX_DEPTH))).toMatchObject({
      ok: false,
      error: { type: "invalid-output" },
      about: "mail",
    });
  });
});

const ATTEMPTS = 3;
const act = effect("act", { input: z.string(), retries: { attempts: ATTEMPTS, delay: "1s" }, handler: () => {} });
const Asker = contract("asker", {
  ask: fn({ input: z.object({ what: z.string(), times: z.int() }) }),
  note: fn({}),
  told: fn({ input: outcome() }),
  tales: query({ output: z.array(z.string()) }),
  notes: query({ output: z.number() }),
});
const asker = service(
  Asker,
  { state: () => ({ tales: [] as string[], notes: 0 }) },
  {
    ask(ctx, { what, times }) {
      for (let n = 0; n < times; n++) ctx.effect(act, what, reply(Asker, ctx.key, "told"));
    },
    note: (ctx) => void ctx.send(Asker, "b").told({ ok: true, value: undefined }),
    told: (ctx, how) => void ctx.state.tales.push(how.ok ? "done" : how.error.type),
    tales: (ctx) => [...ctx.state.tales],
    notes: (ctx) => ctx.state.notes,
  },
);

class Run extends LonePartition {
  readonly begun: number[] = [];
  constructor() {
    super([asker], { effects: [act] });
  }
  ask = (what: string, times = 1) => this.call({ service: "asker", key: "a", name: "ask", input: { what, times } });
  async tales(key = "a"): Promise<unknown> {
    return JSON.parse((await this.call({ service: "asker", key, name: "tales" })).body);
  }
}

describe("an effect whose attempts take everything along", () => {
  test("has failed after as many as were declared, and one at most, and that is told once", async () => {
    const run = new Run();
    run.kills = ({ attempt }) => run.begun.push(attempt) > 0;
    await run.ask("x");
    await run.pass(120_000, 1_000);
    // The first of the instance that has committed it is not written down before.
    expect(run.begun).toEqual([1, ...Array.from({ length: ATTEMPTS }, (_, n) => n + 1)]);
    expect(await run.tales()).toEqual(["interrupted"]);
  });

  test("is over when one of them gets through", async () => {
    const run = new Run();
    run.kills = ({ attempt }) => run.begun.push(attempt) < 3;
    await run.ask("x");
    await run.pass(120_000, 1_000);
    expect(run.begun).toEqual([1, 1, 2]);
    expect(await run.tales()).toEqual(["done"]);
  });

  test("costs others nothing that only wait meanwhile", async () => {
    Object.assign(limits, { maxEffectsRunning: 1 });
    const run = new Run();
    // The first kills whoever tries it; those behind it wait through all of that.
    const first: string[] = [];
    run.kills = ({ id, attempt }) => {
      if (first.length === 0) first.push(id);
      if (id !== first[0]) expect(attempt).toBe(1);
      return id === first[0];
    };
    await run.ask("x", 4);
    await run.pass(120_000, 1_000);
    expect(((await run.tales()) as string[]).toSorted()).toEqual(["done", "done", "done", "interrupted"]);
  });
});

describe("the key of an effect", () => {
  /** Keys that the world outside is told, of domains that begin alike. */
  async function keysOf(run: Run, times: number): Promise<string[]> {
    const keys: string[] = [];
    run.kills = ({ key }) => {
      keys.push(key);
      return keys.length === 1;
    };
    await run.ask("x", times);
    await run.pass(120_000, 1_000);
    return keys;
  }

  test("is that of no other, whatever the tenant or app, though their ids are the same", async () => {
    const [one, other] = [await keysOf(new Run(), 3), await keysOf(new Run(), 3)];
    expect(new Set(one).size).toBe(3);
    expect(new Set([...one, ...other]).size).toBe(6);
  });

  test("is the same in all attempts, of other instances too", async () => {
    const run = new Run();
    const keys: string[] = [];
    run.kills = ({ key }) => keys.push(key) > 0;
    await run.ask("x");
    await run.pass(120_000, 1_000);
    expect(keys).toEqual(Array.from({ length: ATTEMPTS + 1 }, () => keys[0]));
  });

  test("is its id where code has kept it that knew of no keys, also behind a failure", () => {
    const id = messageId(0, 1, 1);
    const letter = outsideLetter("", "a", "act", { to: null, at: 1, failures: 0, notBefore: 0 }, "");
    let message: Message = { ...letter, requestId: id, row: id };
    const runs: string[] = [];
    const runner = new OutsideRunner(new Map([["act", act as EffectDefinition]]), {
      now: 1,
      run: ({ key, attempt }) => runs.push(`${attempt} ${key}`),
      kept: () => message,
      isNew: () => false,
      isDropped: () => false,
      over: () => undefined,
      keep: (kept) => void (message = kept),
      failed: (kept) => void (message = { ...kept, input: kept.input.replace(/"notBefore":\d+/, '"notBefore":0') }),
      postpone: () => undefined,
      report: () => undefined,
    });
    for (let attempt = 0; attempt < 2; attempt++) {
      runner.start(message);
      runner.settle();
      runner.ended(id, { ok: false, final: false, type: "effect-failed", message: "not yet" });
      runner.settle();
    }
    expect(runs).toEqual([`1 ${id}`, `2 ${id}`]);
  });
});

describe("effects that are not over", () => {
  test("leave room for messages, and for others, whatever their number", async () => {
    Object.assign(limits, { maxEffectsWaiting: 5, maxEffects: 8 });
    const run = new Run();
    // They hang.
    run.partition.takeOutside = () => [];
    expect((await run.ask("x", 5)).status).toBe(200);
    expect(await run.ask("x", 1)).toMatchObject({ status: 503 });
    expect((await run.call({ service: "asker", key: "a", name: "note" })).status).toBe(200);
    await run.settle();
    expect(await run.tales("b")).toEqual(["done"]);
  });
});

describe("places of effects", () => {
  const enter = (lanes: Lanes, name: string, count: number, share?: string): string[] => {
    const begun: string[] = [];
    for (let n = 0; n < count; n++) {
      const id = `${name}/${share ?? ""}/${String(n).padStart(2, "0")}`;
      if (lanes.enter(id, name, share === undefined ? {} : { share })) begun.push(id);
    }
    return begun;
  };
  const drain = (lanes: Lanes): string[] => {
    const begun: string[] = [];
    for (let id = lanes.next(); id !== undefined; id = lanes.next()) begun.push(id);
    return begun;
  };

  test("are never all taken by one name, nor all of a name by one share", () => {
    const lanes = new Lanes();
    expect(enter(lanes, "slow", 100, "slow.example.com")).toHaveLength(LIMITS.maxEffectsOfShare);
    expect(enter(lanes, "slow", 3, "fast.example.com")).toHaveLength(3);
    expect(enter(lanes, "other", 100)).toHaveLength(LIMITS.maxEffectsOfName);
    const rest = LIMITS.maxEffectsRunning - LIMITS.maxEffectsOfName - LIMITS.maxEffectsOfShare - 3;
    expect(enter(lanes, "third", 100)).toHaveLength(rest);
    expect(drain(lanes)).toEqual([]);
  });

  test("go by turns to names and shares, and within a share in order", () => {
    Object.assign(limits, { maxEffectsRunning: 1 });
    const lanes = new Lanes();
    let [running] = enter(lanes, "x", 3);
    enter(lanes, "y", 2, "one");
    enter(lanes, "y", 1, "two");
    const order: string[] = [];
    while (running !== undefined) {
      order.push(running);
      expect([lanes.next(), lanes.leave(running), lanes.leave(running)]).toEqual([undefined, true, false]);
      running = lanes.next();
    }
    expect(order).toEqual(["x//00", "x//01", "y/one/00", "x//02", "y/two/00", "y/one/01"]);
    expect(lanes.has("x//00")).toBe(false);
  });

  test("of webhooks are parted by host, where the host is known without the bindings", () => {
    const options = { input: z.object({ url: z.string() }), secret: "S" };
    const known = webhook("known", { ...options, url: ({ url }) => url });
    expect(known.share?.({ url: "https://hooks.example.com:8443/x?y" })).toBe("hooks.example.com:8443");
    expect(() => webhook("odd", { ...options, url: (_, env) => String(env["URL"]) }).share?.({ url: "x" })).toThrow();
  });
});
