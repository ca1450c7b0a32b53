/** Batches that change more of a flow than a record can hold: a checkpoint has it instead, and a restart finds it. */
import { expect, test } from "vitest";
import { INGEST } from "../../protocol/wire/ingest.ts";
import type { ViewReply } from "../../protocol/partition/effects.ts";
import { contract, count, defineApp, flow, query, service, sum, tumbling } from "../../sdk/index.ts";
import { type Reply, SimPartition } from "../../sim/partition.ts";
import { createRandom } from "../../sim/random.ts";
import { Visits } from "../support/visits.ts";
import { useLimits } from "../support/limits.ts";
import { kernels } from "./support/lone-partition.ts";

const byPage = flow("by-page")
  .from(Visits, { time: "at", outOfOrderness: "1h" })
  .keyBy("page")
  .window(tumbling("1h"))
  .aggregate({ visits: count(), ms: sum("ms") })
  .toView("by-page");
const Probe = contract("probe", { ping: query() });
const app = defineApp({
  services: [service(Probe, {}, { ping: () => undefined })],
  flows: [byPage],
  partitions: 1,
});

// So many of them are otherwise refused.
useLimits({ maxWindowBytes: 64 * 1024 * 1024 });

test("a batch whose changes are too large for a record is taken, and is there after a crash", async () => {
  const replies = new Map<number, Reply>();
  const kinds: string[] = [];
  const partition = new SimPartition({
    app,
    kernels,
    random: createRandom(1),
    left: (ticket, reply) => void replies.set(ticket, reply),
    durable: (ops) => void kinds.push(...ops.map(({ op }) => op)),
  });
  const settle = async (): Promise<void> => {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const moves = partition.moves();
      if (moves.length === 0) return;
      for (const move of moves) move();
    }
  };
  let ids = 0;
  const ingest = async (pages: readonly string[]): Promise<void> => {
    const body = pages.map((page, at) => JSON.stringify({ page, at, ms: 1 })).join("\n");
    const parsed = kernels.parseEvents(new TextEncoder().encode(body), Visits.columns);
    if (!parsed.ok) throw new Error("the test's events are wrong");
    const ticket = ++ids;
    const fields = [`c${String(ticket).padStart(31, "0")}`, "visits"];
    const columns = [1, ...parsed.fingerprint, parsed.rows];
    partition.ingest(ticket, kernels.pack(INGEST, { rows: 1, columns, fields, tail: parsed.frame }));
    await settle();
    expect(partition.failure).toBeUndefined();
    expect(replies.has(ticket)).toBe(true);
  };
  const view = async (key: string): Promise<unknown> => {
    const ticket = ++ids;
    partition.engine.input({ kind: "view", ticket, query: { view: "by-page", key, limit: 2, after: undefined } });
    await settle();
    return (JSON.parse((replies.get(ticket) as ViewReply).body) as { rows: unknown[] }).rows;
  };
  const long = Array.from({ length: 50_000 }, (_, n) => `${"p".repeat(590)}${n}`);
  await ingest(["first"]);
  await ingest(long);
  expect(kinds).toContain("put-checkpoint");
  await ingest(["first", "last"]);
  partition.crash();
  expect(await view("first")).toMatchObject([{ visits: 2, ms: 2 }]);
  expect(await view(long[49_999] as string)).toMatchObject([{ visits: 1 }]);
  expect(await view("last")).toMatchObject([{ visits: 1 }]);
  await ingest(["last"]);
  partition.crash();
  expect(await view("last")).toMatchObject([{ visits: 2 }]);
}, 30_000);
