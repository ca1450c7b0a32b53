/** Erasing a key: nothing of it is left in anybody's storage. Bugs that leave something are planted, and found. */
import { afterEach, expect, test, vi } from "vitest";
import type { EraseAnswer } from "../../../protocol/backup/asks.ts";
import type * as LogModule from "../../../protocol/partition/log.ts";
import type * as MailModule from "../../../protocol/partition/mail.ts";
import type * as ResultsModule from "../../../protocol/results/results.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import {
  collection,
  contract,
  flow,
  fn,
  noData,
  service,
  stream,
  text as textField,
  timestamp,
} from "../../../sdk/index.ts";
import type { MapStore } from "../../../sim/map-store.ts";
import { z } from "zod";
import type { Cluster as ClusterClass } from "../support/cluster.ts";
import { ingest } from "../support/cluster-events.ts";
import { nameOn } from "../support/names-on.ts";

const SECRET = "xylophone";
const text = z.string();
const Diary = contract("diary", {
  write: fn({ input: z.object({ text }), output: text }),
  tell: fn({ input: z.object({ to: text, text }) }),
  pass: fn({ input: z.object({ to: text, text }) }),
  never: fn({ input: z.object({ text }) }),
  later: fn({ input: z.object({ to: text, text }) }),
  fail: fn({ input: z.object({ to: text, text }) }),
  hold: fn({ input: z.object({ id: text }) }),
  note: fn({ input: text, refusals: { full: noData } }),
});
/** A flow whose end refuses everything. It is on partition 1. */
const Notes = stream(nameOn(1, 2, "notes"), { to: textField(), text: textField(), at: timestamp() });
const noted = flow("noted")
  .from(Notes, { time: "at" })
  .call(Diary, "note", { key: (e) => e.to, input: (e) => e.text });
/** Of the delayed message that was sent last. */
let sent = "";
let letGo = (): void => undefined;
const diary = service(
  Diary,
  { state: () => ({ last: "" }), collections: { pages: collection<string>() } },
  {
    write(ctx, { text: written }) {
      ctx.state.last = written;
      ctx.collections.pages.set("page", written);
      return written;
    },
    async tell(ctx, { to, text: told }) {
      await ctx.call(Diary, to).write({ text: told });
    },
    pass: (ctx, { to, text: passed }) => ctx.send(Diary, to).never({ text: passed }),
    later(ctx, { to, text: told }) {
      sent = ctx.send(Diary, to, { delay: "24h" }).write({ text: told });
    },
    fail(ctx, { to, text: told }) {
      // No input of that function: it is a dead letter at once.
      ctx.send(Diary, to).never({ wrong: told } as unknown as { text: string });
    },
    /** Holds what its key keeps for later, until somebody lets it go. */
    async hold(ctx, { id }) {
      await ctx.cancel(id);
      await new Promise<void>((resolve) => (letGo = resolve));
    },
    note(ctx) {
      throw ctx.refuse("full");
    },
    never() {
      throw new Error("not today");
    },
  },
);

type Erasing = "erase-messages" | "erase";

class Domain {
  readonly #cluster: ClusterClass;
  readonly key: (partition: number) => string;
  #ids = 0;
  /** How often it was asked whether all is gone. */
  rounds = 0;

  constructor(cluster: ClusterClass) {
    this.#cluster = cluster;
    this.key = (partition) => cluster.place(partition)[1];
  }

  /** The flow's end refuses an event for each of these. */
  async note(...events: ReadonlyArray<readonly [to: string, text: string]>): Promise<void> {
    const batch = events.map(([to, text]) => ({ to, text, at: 1 }));
    const status = await ingest(this.#cluster, 1, Notes.name, ++this.#ids, batch);
    await this.#cluster.run();
    await this.#cluster.turn();
    expect(status()).toBe(200);
  }

  /** Dead letters of the flow, by number. */
  async letters(): Promise<unknown> {
    const input = { flow: "noted", what: "d", after: -1, limit: 100 };
    const { first, events, numbers } = (await this.#flow("aside", input)) as {
      readonly first: number;
      readonly events: readonly string[];
      readonly numbers?: readonly number[];
    };
    return events.map((event, at) => [
      numbers?.[at] ?? first + at,
      (JSON.parse(event) as { event: { text: string } }).event.text,
    ]);
  }

  redrive(letter: number): Promise<unknown> {
    return this.#flow("redrive", { flow: "noted", letter });
  }

  async #flow(name: string, input: object): Promise<unknown> {
    const { kernels } = await import("../support/lone-partition.ts");
    const id = `e${this.#cluster.clock.toString(16).padStart(11, "0")}${(++this.#ids).toString(16).padStart(20, "0")}`;
    const fields = [id, "#view", Notes.name, name, JSON.stringify(input)];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [1, INVOKE_FLAG.internal, 0, 0], fields });
    const answers = await this.#cluster.give(1, { kind: "invoke", frame });
    await this.#cluster.run();
    await this.#cluster.turn();
    return JSON.parse(answers()?.[0]?.body ?? "null");
  }

  /** Delayed messages that a partition keeps. */
  waiting(partition: number): number {
    return this.#cluster.node(partition).status.timers;
  }

  async call(partition: number, name: string, input: unknown, how = { client: true, erase: false }): Promise<void> {
    const { kernels } = await import("../support/lone-partition.ts");
    const id = `${how.client ? "c" : `e${this.#cluster.clock.toString(16).padStart(11, "0")}`}`;
    const requestId = id + (++this.#ids).toString(16).padStart(32 - id.length, "0");
    const flags = (how.client ? INVOKE_FLAG.clientId : 0) | (how.erase ? INVOKE_FLAG.erase : 0);
    const fields = [requestId, "diary", this.key(partition), name, input === undefined ? "" : JSON.stringify(input)];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [1, flags, 0, 0], fields });
    await this.#cluster.give(partition, { kind: "invoke", frame });
    await this.#cluster.run();
    await this.#cluster.turn();
  }

  /** What keeps the secret: a value, an entry, results of both kinds, an epoch's record, messages to and from the key, folded or not. */
  async fill(): Promise<void> {
    const [victim, other] = [this.key(0), this.key(1)];
    await this.call(0, "write", { text: `${SECRET} 1` });
    await this.call(0, "write", { text: `${SECRET} 2` }, { client: false, erase: false });
    await this.call(1, "tell", { to: victim, text: `${SECRET} 3` });
    await this.call(1, "pass", { to: victim, text: `${SECRET} 4` });
    await this.call(0, "pass", { to: other, text: `${SECRET} 5` });
    await this.call(0, "later", { to: other, text: `${SECRET} 6` });
    await this.call(1, "later", { to: victim, text: `${SECRET} 7` });
    await this.call(0, "fail", { to: other, text: `${SECRET} 8` });
    await this.call(1, "fail", { to: victim, text: `${SECRET} 9` });
  }

  /** As the edge does it: what is under way, a transaction, and then the traces, until all are gone. */
  async erase(): Promise<void> {
    await this.eraseTraces(this.key(0), "erase-messages");
    await this.call(0, "#erase", undefined, { client: false, erase: true });
    await this.eraseTraces(this.key(0));
  }

  /** All records are folded behind this, whatever the key is. */
  async eraseTraces(key: string, op: Erasing = "erase"): Promise<void> {
    for (const partition of [0, 1]) {
      for (let round = 0; !(await this.eraseAt(partition, key, op)); round++) {
        this.rounds += 1;
        if (round > 500) throw new Error("it is never done");
        await this.#cluster.fold(partition);
        await this.#cluster.run();
      }
    }
  }

  fold(partition: number): Promise<void> {
    return this.#cluster.fold(partition);
  }

  async eraseAt(partition: number, key: string, op: Erasing = "erase"): Promise<boolean> {
    const answer = await this.#cluster.admin(partition, { op, service: "diary", key });
    if (answer instanceof Uint8Array || answer.status !== 200) throw new Error(JSON.stringify(answer));
    return (JSON.parse(answer.body) as EraseAnswer).done;
  }

  get traces(): string[] {
    return this.#cluster.stores.flatMap((store, partition) => tracesIn(store).map((where) => `${partition} ${where}`));
  }
}

function tracesIn(store: MapStore): string[] {
  const bytesHave = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes(SECRET);
  const found: string[] = [];
  for (const { bytes } of store.stateBlocks.values()) if (bytesHave(bytes)) found.push("block");
  for (const { head } of store.stateBlocks.values()) if (bytesHave(head)) found.push("head of a block");
  for (const [name, value] of store.meta) if (value.includes(SECRET)) found.push(name);
  for (const { bytes } of store.records) if (bytesHave(bytes)) found.push("record");
  for (const { bytes } of store.recents) if (bytesHave(bytes)) found.push("recent result");
  return found;
}

async function domain(): Promise<Domain> {
  const { Cluster } = await import("../support/cluster.ts");
  return new Domain(await Cluster.up(2, [diary], [noted]));
}

afterEach(() => {
  vi.doUnmock("../../../protocol/partition/log.ts");
  vi.doUnmock("../../../protocol/partition/mail.ts");
  vi.doUnmock("../../../protocol/results/results.ts");
  vi.resetModules();
});

test("what is erased is nowhere any more", async () => {
  const here = await domain();
  await here.fill();
  expect(new Set(here.traces)).toEqual(new Set(["0 record", "1 record"]));
  await here.erase();
  expect(here.traces).toEqual([]);
});

test("and what had been folded before", async () => {
  const here = await domain();
  await here.fill();
  await here.eraseTraces("nobody");
  const folded = ["0 block", "0 recent result", "1 block"];
  expect(new Set(here.traces)).toEqual(new Set(folded));
  await here.erase();
  expect(here.traces).toEqual([]);
});

test("and what another key keeps for it, though that is held by a transaction for longer than all before is folded", async () => {
  const here = await domain();
  await here.call(1, "later", { to: here.key(0), text: SECRET });
  await here.call(1, "later", { to: "nobody", text: "" });
  await here.eraseTraces("nobody");
  expect(here.traces).toEqual(["1 block"]);
  await here.call(1, "hold", { id: sent });
  await here.call(0, "#erase", undefined, { client: false, erase: true });
  expect(await here.eraseAt(1, here.key(0))).toBe(false);
  await here.fold(1);
  letGo();
  await here.eraseTraces(here.key(0));
  expect(here.traces).toEqual([]);
});

test.each([false, true])(
  "and the dead letters of a flow that are to it, folded before or not: %s",
  async (isFolded) => {
    const here = await domain();
    const [victim, other] = [here.key(0), here.key(1)];
    await here.note([other, "1"], [victim, `${SECRET} 2`], [other, "3"], [victim, `${SECRET} 4`]);
    await here.note([victim, `${SECRET} 5`]);
    // Another's that names the key is not the key's.
    await here.note([other, victim]);
    if (isFolded) await here.eraseTraces("nobody");
    expect(new Set(here.traces)).toEqual(new Set([isFolded ? "1 block" : "1 record"]));
    await here.erase();
    expect(here.traces).toEqual([]);
    expect(await here.letters()).toEqual([
      [0, "1"],
      [2, "3"],
      [5, victim],
    ]);
    expect(await here.redrive(3)).toBe(false);
    // Numbers go on, also when the last was erased.
    await here.note([victim, `${SECRET} 7`]);
    await here.erase();
    await here.note([other, "8"]);
    expect(here.traces).toEqual([]);
    expect(await here.letters()).toEqual([
      [0, "1"],
      [2, "3"],
      [5, victim],
      [7, "8"],
    ]);
  },
);

test("some in a turn, however much is kept, and nothing of others", async () => {
  const here = await domain();
  const { LIMITS } = await import("../../../protocol/limits.ts");
  Object.assign(LIMITS, { eraseRowsPerTurn: 3, maxFiringKeys: 2 });
  await here.fill();
  const [victim, other] = [here.key(0), here.key(1)];
  for (let n = 0; n < 12; n++) {
    await here.call(1, "later", { to: other, text: `stranger ${n}` });
    await here.call(1, "later", { to: victim, text: `${SECRET} more ${n}` });
    await here.call(1, "fail", { to: victim, text: `${SECRET} failed ${n}` });
    await here.call(1, "fail", { to: other, text: `stranger failed ${n}` });
  }
  await here.erase();
  expect(here.traces).toEqual([]);
  // Each turn looks at three rows of some seventy.
  expect(here.rounds).toBeGreaterThan(20);
  expect(here.waiting(1)).toBe(12);
});

test("a planted bug that leaves a record is found", async () => {
  vi.doMock("../../../protocol/partition/log.ts", async (original) => {
    const { Log } = await original<typeof LogModule>();
    return {
      Log: class extends Log {
        override foldThrough(): boolean {
          return true;
        }
      },
    };
  });
  const here = await domain();
  await here.fill();
  await here.erase();
  expect(new Set(here.traces)).toEqual(new Set(["0 record", "1 record"]));
});

test("planted bugs that leave results or messages are found", async () => {
  vi.doMock("../../../protocol/results/results.ts", async (original) => {
    const { Results } = await original<typeof ResultsModule>();
    return {
      Results: class extends Results {
        override erase(): number {
          return 0;
        }
      },
    };
  });
  const results = await domain();
  await results.fill();
  await results.erase();
  expect(new Set(results.traces)).toEqual(new Set(["0 recent result"]));

  vi.doUnmock("../../../protocol/results/results.ts");
  vi.resetModules();
  vi.doMock("../../../protocol/partition/mail.ts", async (original) => {
    const { Mail } = await original<typeof MailModule>();
    return {
      Mail: class extends Mail {
        override erase(): number {
          return 0;
        }
      },
    };
  });
  const messages = await domain();
  await messages.fill();
  await messages.erase();
  expect(new Set(messages.traces)).toEqual(new Set(["0 block", "1 block"]));
});
