/** Dead letters of flows: given to their end again, or deleted, one by one; the others keep their numbers. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { jsonMembers } from "../../protocol/flows/json-members.ts";
import {
  collect,
  contract,
  float64,
  flow,
  type FlowDefinition,
  fn,
  int64,
  noData,
  optional,
  query,
  service,
  sinks,
  stream,
  text,
  timestamp,
} from "../../sdk/index.ts";
import { createRandom } from "../../sim/random.ts";
import { anything } from "../../sim/clients/schema.ts";
import { useLimits } from "../support/limits.ts";
import { LonePartition } from "./support/lone-partition.ts";

const Sales = stream("sales", {
  item: text(),
  cents: int64(),
  share: float64(),
  note: optional(text()),
  at: timestamp(),
});
const sale = (cents: number | string, more: object = {}) => ({ item: "tea", cents, share: 0.5, at: 1, ...more });

const Gate = contract("gate", {
  open: fn({ input: anything<boolean>() }),
  take: fn({ input: anything<unknown>(), refusals: { closed: noData } }),
  seen: query({ output: anything<readonly unknown[]>() }),
});
const gate = service(
  Gate,
  { state: () => ({ isOpen: false, taken: [] as unknown[] }) },
  {
    open: (ctx, isOpen) => void (ctx.state.isOpen = isOpen),
    take(ctx, input) {
      if (!ctx.state.isOpen) throw ctx.refuse("closed");
      ctx.state.taken.push(input);
    },
    seen: ({ state }) => [...state.taken],
  },
);

interface Shown {
  readonly first: number;
  readonly events: readonly string[];
  readonly numbers?: readonly number[];
  readonly end: number;
}

class Bench {
  readonly partition: LonePartition;

  constructor(...flows: readonly FlowDefinition[]) {
    this.partition = new LonePartition([gate], { flows });
  }

  async list(after = -1, limit = 100): Promise<Array<readonly [number, Record<string, unknown>]>> {
    const input = { flow: "sold", what: "d", after, limit };
    const { body } = await this.partition.call({ service: "#view", key: "any", name: "aside", input, internal: true });
    const { first, events, numbers } = JSON.parse(body) as Shown;
    return events.map((event, at) => [numbers?.[at] ?? first + at, JSON.parse(event) as Record<string, unknown>]);
  }
  async numbers(after = -1, limit = 100): Promise<number[]> {
    return (await this.list(after, limit)).map(([number]) => number);
  }
  act(name: "redrive" | "remove", number: number) {
    const input = { flow: "sold", letter: number };
    return this.partition.call({ service: "#view", key: "sales", name, input, internal: true });
  }
  async open(isOpen = true): Promise<void> {
    await this.partition.call({ service: "gate", key: "tea", name: "open", input: isOpen });
  }
  async taken(): Promise<string> {
    return (await this.partition.call({ service: "gate", key: "tea", name: "seen" })).body;
  }
}

const calling = (): FlowDefinition => {
  const sales = flow("sold").from(Sales, { time: "at" });
  return sinks(
    sales.call(Gate, "take", { key: (e) => e.item, input: (e) => e }),
    sales.filter((e) => e.cents.gt(1_000)).call(Gate, "take", { key: (e) => e.item, input: () => "large" }),
  );
};

describe("an event that a service refused", () => {
  it("is given to it again when that is asked for, and taken from the list; once", async () => {
    const bench = new Bench(calling());
    await bench.partition.ingest("sales", [sale(1), sale(2), sale(3)]);
    await bench.partition.ingest("sales", [sale(4), sale(5_000)]);
    expect((await bench.list()).map(([number, { sink }]) => [number, sink])).toEqual([
      [0, "gate.take"],
      [1, "gate.take"],
      [2, "gate.take"],
      [3, "gate.take"],
      [4, "gate.take"],
      [5, "gate.take-2"],
    ]);
    // Refused again, it stays.
    const refused = await bench.act("redrive", 1);
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([409, { type: "/problems/gate/closed" }]);
    expect(await bench.numbers()).toEqual([0, 1, 2, 3, 4, 5]);
    await bench.open();
    expect((await bench.act("redrive", 1)).body).toBe("true");
    expect((await bench.act("redrive", 1)).body).toBe("false");
    expect((await bench.act("redrive", 5)).body).toBe("true");
    expect(JSON.parse(await bench.taken())).toEqual([{ ...sale(2), note: null }, "large"]);
    expect(await bench.numbers()).toEqual([0, 2, 3, 4]);
    expect(await bench.numbers(0, 2)).toEqual([2, 3]);
    expect(await bench.numbers(4)).toEqual([]);
    // Numbers go on behind the last, though that is gone.
    await bench.open(false);
    await bench.partition.ingest("sales", [sale(6)]);
    expect(await bench.numbers(2)).toEqual([3, 4, 6]);
    for (const number of [0, 2, 3, 4, 6]) expect((await bench.act("remove", number)).body).toBe("true");
    expect((await bench.act("remove", 6)).body).toBe("false");
    expect([await bench.numbers(), (await bench.act("redrive", 7)).body]).toEqual([[], "false"]);
    expect(JSON.parse(await bench.taken())).toHaveLength(2);
  });

  it("comes as it came at first: whole numbers exact, what is null, lists", async () => {
    const sales = flow("sold").from(Sales, { time: "at" });
    const bench = new Bench(
      sinks(
        sales.call(Gate, "take", { key: (e) => e.item, input: (e) => e }),
        sales
          .keyBy("item")
          .aggregate({ all: collect({ of: ["cents", "note"] }) })
          .call(Gate, "take", { key: (e) => e.item, input: (e) => e.all }),
      ),
    );
    const events = [
      { item: "tea", cents: raw("9007199254740993"), share: 1e20, at: -5 },
      { item: "tea", cents: -1, share: 0.1, note: '"a","event":{}\u00e9', at: 7 },
    ];
    const send = () => bench.partition.ingest("sales", events);
    await bench.open();
    await send();
    const first = await bench.taken();
    expect(first).toContain("9007199254740993");
    await bench.open(false);
    await send();
    await bench.open();
    for (const number of await bench.numbers()) expect((await bench.act("redrive", number)).body).toBe("true");
    const both = JSON.parse(await bench.taken()) as unknown[];
    const half = both.length / 2;
    // The list has the events of both batches the second time.
    expect(JSON.stringify(both.slice(half, -1))).toBe(JSON.stringify(both.slice(0, half - 1)));
    expect(both.at(-1)).toContain(String(both[half - 1]).slice(1, -1));
  });

  it("whose end is gone, or has other fields by now, stays, with an error that says so", async () => {
    const bench = new Bench(calling());
    await bench.partition.ingest("sales", [sale(1)]);
    const { partition } = bench;
    const sales = flow("sold").from(Sales, { time: "at" });
    await partition.redeploy([gate], { flows: [sales.toView("sold", { key: "item" })] });
    const gone = await bench.act("redrive", 0);
    expect([gone.status, gone.body]).toMatchObject([409, expect.stringContaining('no end \\"gate.take\\" any more')]);
    const other = sales
      .map((e) => ({ item: e.item, cents: e.cents, color: e.item }))
      .call(Gate, "take", { key: (e) => e.item, input: (e) => e });
    await partition.redeploy([gate], { flows: [other] });
    await bench.open();
    const unlike = await bench.act("redrive", 0);
    expect([unlike.status, unlike.body]).toMatchObject([422, expect.stringContaining('\\"color\\"')]);
    await partition.redeploy([gate], { flows: [calling()] });
    expect((await bench.act("redrive", 0)).body).toBe("true");
    expect(JSON.parse(await bench.taken())).toEqual([{ ...sale(1), note: null }]);
  });
});

describe("an event that could not be delivered", () => {
  const limits = useLimits();
  afterEach(() => void vi.unstubAllGlobals());

  it("is delivered when it is sent again, under an id of its own", async () => {
    const posted: Array<{ readonly id: string; readonly cents: number }> = [];
    let status = 500;
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      const { cents } = (JSON.parse(String(init.body)) as { data: { cents: number } }).data;
      posted.push({ id: new Headers(init.headers).get("webhook-id") ?? "", cents });
      return new Response(null, { status });
    });
    const sold = flow("sold").from(Sales, { time: "at" });
    const bench = new Bench(
      sold.toWebhook("sold-hook", {
        url: "https://example.com/sold",
        secret: "SECRET",
        retries: { attempts: 2, delay: 10 },
        onFull: "dead-letter",
      }),
    );
    const { partition } = bench;
    partition.env = { SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
    await partition.ingest("sales", [sale(1), sale(2)]);
    await partition.pass(2_000, 50);
    expect(await bench.numbers()).toEqual([0, 1]);
    status = 200;
    expect((await bench.act("redrive", 1)).body).toBe("true");
    await partition.pass(1_000, 50);
    expect(posted.map(({ cents }) => cents)).toEqual([1, 1, 2, 2, 2]);
    expect(new Set(posted.map(({ id }) => id)).size).toBe(3);
    expect(await bench.numbers()).toEqual([0]);
    // Where too much waits it stays, whatever becomes of new events then.
    limits.maxEgressUnits = 1;
    status = 500;
    await partition.ingest("sales", [sale(3)]);
    expect((await bench.act("redrive", 0)).status).toBe(503);
    expect(await bench.numbers()).toEqual([0]);
  });

  it("is not delivered where its end is given other fields by now, and without those that it is given no longer", async () => {
    const posted: unknown[] = [];
    let status = 500;
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      posted.push((JSON.parse(String(init.body)) as { data: unknown }).data);
      return new Response(null, { status });
    });
    const sales = flow("sold").from(Sales, { time: "at" });
    const hook = { url: "https://example.com/sold", secret: "SECRET", retries: { attempts: 1 } } as const;
    const bench = new Bench(sales.toWebhook("sold-hook", hook));
    const { partition } = bench;
    partition.env = { SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
    await partition.ingest("sales", [sale(1)]);
    await partition.pass(1_000, 50);
    posted.length = 0;
    status = 200;
    const other = sales.map((e) => ({ article: e.item, cents: e.cents })).toWebhook("sold-hook", hook);
    await partition.redeploy([gate], { flows: [other] });
    const unlike = await bench.act("redrive", 0);
    expect([unlike.status, unlike.body]).toMatchObject([422, expect.stringContaining('\\"article\\"')]);
    await partition.pass(1_000, 50);
    expect([posted, await bench.numbers()]).toEqual([[], [0]]);
    const fewer = sales.map((e) => ({ note: e.note, item: e.item, share: e.share })).toWebhook("sold-hook", hook);
    await partition.redeploy([gate], { flows: [fewer] });
    expect((await bench.act("redrive", 0)).body).toBe("true");
    await partition.pass(1_000, 50);
    expect([posted, await bench.numbers()]).toEqual([[{ note: null, item: "tea", share: 0.5 }], []]);
  });
});

/** A number that no double holds. */
function raw(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}

describe("the members of an object", () => {
  it("are those that JSON.parse finds, each as its text", () => {
    const random = createRandom(3);
    const texts = ['"', "\\", "a,b", "{", "}", "[", "]", ":", "\u2028", "é", '","event":', "\n", ""];
    const word = () => Array.from({ length: random.int(5) }, () => random.pick(texts)).join("");
    const value = (depth: number): unknown => {
      const kind = random.int(depth > 0 ? 6 : 4);
      if (kind < 2) return word();
      if (kind === 2) return random.pick([1.5, -3, 0, null, true, false]);
      const many = Array.from({ length: random.int(4) }, () => value(depth - 1));
      return kind % 2 === 0 ? many : Object.fromEntries(many.map((one, at) => [`${word()}${at}`, one]));
    };
    for (let n = 0; n < 2_000; n++) {
      const object = Object.fromEntries(Array.from({ length: random.int(5) }, (_, at) => [`${word()}${at}`, value(3)]));
      expect([...jsonMembers(JSON.stringify(object))]).toEqual(
        Object.entries(object).map(([name, one]) => [name, JSON.stringify(one)]),
      );
    }
  });
});
