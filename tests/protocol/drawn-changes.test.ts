/**
 * Versions of one flow, drawn, between which the window kernel and operators take turns, streams come first or second, and ends come and go: what
 * an operator has counted goes on, is refused to be lost, or begins anew where it is named, and nothing that was set aside is ever gone.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  contract,
  count,
  fn,
  flow,
  type FlowDefinition,
  int64,
  noData,
  service,
  sinks,
  stream,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const Taps = stream("taps", { item: text(), n: int64(), at: timestamp() });
const Others = stream("others", { item: text(), at: timestamp() });
const Shop = contract("shop", { sell: fn({ refusals: { closed: noData } }) });
const shop = service(
  Shop,
  {},
  {
    sell: (ctx) => {
      throw ctx.refuse("closed");
    },
  },
);
/** What each event is in, for as long as a run lasts, and what is late for it. */
const SIZES = [10_000, 20_000] as const;

interface Version {
  /** Of the windows. */
  readonly size: (typeof SIZES)[number];
  /** Another flow reads the stream, so that operators run this one. */
  readonly shared: boolean;
  /** A branch of another stream: none, or in front of or behind its own. */
  readonly branch: "none" | "first" | "second";
  /** An end that refuses all it is given. */
  readonly calls: boolean;
  /** What it would lose is named. */
  readonly named: boolean;
}
const version = fc.record<Version>({
  size: fc.constantFrom(...SIZES),
  shared: fc.boolean(),
  branch: fc.constantFrom("none", "first", "second"),
  calls: fc.boolean(),
  named: fc.boolean(),
});

const isKernel = ({ shared, branch, calls }: Version): boolean => !shared && branch === "none" && !calls;
/** Whose state it is. */
const ownerOf = (of: Version): string => `${isKernel(of) ? "kernel" : "operators"} ${of.size}`;

function flowsOf({ size, shared, branch, calls, named }: Version): FlowDefinition[] {
  const f = flow("f", named ? { drops: ["counts", "view-others"] } : {});
  const taps = f.from(Taps, { time: "at" });
  const own = taps.keyBy("item").window(tumbling(size)).aggregate({ n: count() }).named("counts").toView("counts");
  const others = branch === "none" ? [] : [f.from(Others, { time: "at" }).toView("others", { key: "item" })];
  const called = calls ? [taps.call(Shop, "sell", { key: (e) => e.item, as: "call" })] : [];
  const ends: FlowDefinition[] = branch === "first" ? [...others, own, ...called] : [own, ...others, ...called];
  const [first, ...rest] = ends;
  const flows: FlowDefinition[] = first === undefined || rest.length === 0 ? ends : [sinks(first, ...rest)];
  if (shared) flows.push(flow("other").from(Taps, { time: "at" }).toView("other", { key: "item" }));
  return flows;
}

class Run {
  readonly partition = new LonePartition([shop], { flows: [] });
  #version: Version | null = null;
  /** Whose state is there, and what it has counted; null while there is none. */
  #owner: string | null = null;
  #counted = 0;
  /** The branch's view has state. */
  #branched = false;
  #sent = 0;
  readonly #late: number[] = [];
  readonly #dead: number[] = [];

  async deploy(next: Version): Promise<void> {
    this.#version = next;
    await this.partition.redeploy([shop], { flows: flowsOf(next) });
  }

  /** An event in the window, one that is late for it, and which of them is refused by the end. */
  async send(): Promise<void> {
    const next = this.#version as Version;
    const owner = ownerOf(next);
    const lost = this.#owner !== null && this.#owner !== owner;
    const lostBranch = this.#branched && next.branch === "none";
    const n = ++this.#sent;
    const events = [{ item: "a", n, at: 100_000 + n }];
    const late = { item: "a", n: -n, at: n };
    const answer = await this.partition.ingest("taps", events);
    if ((lost || lostBranch) && !next.named)
      return expect(answer).toMatchObject({ status: 409, body: expect.stringContaining("flow-changed") });
    expect(answer).toMatchObject({ status: 200 });
    this.#counted = lost ? 1 : this.#counted + 1;
    this.#owner = owner;
    this.#branched = next.branch !== "none";
    expect(await this.partition.ingest("taps", [late])).toMatchObject({ status: 200 });
    this.#late.push(-n);
    if (next.calls) this.#dead.push(n, -n);
  }

  async check(): Promise<void> {
    expect(await this.#aside("late")).toEqual(this.#late);
    expect(await this.#aside("dead")).toEqual(this.#dead);
    if (this.#owner === ownerOf(this.#version as Version)) expect(await this.#shown()).toBe(this.#counted);
    expect(this.partition.partition.failure).toBeUndefined();
  }

  /** In the window that is open. */
  async #shown(): Promise<number> {
    const { status, body } = isKernel(this.#version as Version)
      ? await this.partition.view("counts")
      : await this.#ask("view", { flow: "f", view: "counts", limit: 10 });
    expect(status).toBe(200);
    const { rows } = JSON.parse(body) as {
      readonly rows: ReadonlyArray<{ readonly n: number; readonly final: boolean }>;
    };
    return rows.filter(({ final }) => !final).reduce((sum, { n }) => sum + n, 0);
  }

  async #aside(what: string): Promise<number[]> {
    const { body } = await this.#ask("aside", {
      flow: "f",
      what: what === "late" ? "l" : "d",
      after: -1,
      limit: 1_000,
    });
    const { events } = JSON.parse(body) as { readonly events: readonly string[] };
    return events.map((text) => (JSON.parse(text) as { readonly event: { readonly n: number } }).event.n);
  }

  #ask(name: string, input: object) {
    return this.partition.call({ service: "#view", key: "any", name, internal: true, input });
  }
}

test("whatever versions come, and in whatever order", { timeout: 120_000 }, async () => {
  const versions = fc.array(version, { minLength: 2, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(versions, fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }), async (drawn, sends) => {
      const run = new Run();
      // It begins at the stream that the window kernel goes by: of a flow that began at another what the kernel sets aside is kept apart.
      await run.deploy({ ...(drawn[0] as Version), branch: "none" });
      await run.send();
      for (const [at, each] of drawn.entries()) {
        await run.deploy(each);
        for (let n = 0; n < (sends[at] as number); n++) await run.send();
        await run.check();
      }
    }),
    { numRuns: 150 },
  );
});
