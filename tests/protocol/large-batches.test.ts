/** What a large batch writes does not fit one record: it is in several, at once, and there as a whole after a crash at any moment. */
import { expect, test, vi } from "vitest";
import type { LIMITS } from "../../protocol/limits.ts";
import { decodeRecord, type RecordContent } from "../../protocol/record/record.ts";
import { INGEST } from "../../protocol/wire/ingest.ts";
import { flow, int64, stream, text, timestamp } from "../../sdk/index.ts";
import { type Answered, kernels, LonePartition } from "./support/lone-partition.ts";

vi.mock("../../protocol/limits.ts", async (original) => {
  const real = await original<{ LIMITS: typeof LIMITS }>();
  const small = {
    ...{ maxTransactionBytes: 3_000, maxFlowBytes: 60_000, flowPartBytes: 4_000, streamEntryChars: 600 },
    ...{ maxTableBytes: 12_000, recordMarginBytes: 2_000, maxRecordBytes: 6_000, epochRecordBytes: 6_000 },
    ...{ maxPartBytes: 1_000, foldBytes: 20_000, foldBytesPerTurn: 4_000, maxFoldBytes: 20_000, blockBytes: 2_000 },
  };
  return { LIMITS: { ...real.LIMITS, ...small } };
});

const In = stream("in", { n: int64(), what: text(), at: timestamp() });
const Out = stream("out", { n: int64(), what: text() }, { retention: "1h" });
const copy = flow("copy")
  .from(In, { time: "at" })
  .map((e) => ({ n: e.n, what: e.what }))
  .toStream(Out);
const firsts = flow("firsts").from(In, { time: "at" }).keyBy("n").deduplicate().toView("firsts", { key: "n" });

const TICKET = 1_000_000;

class Run {
  readonly lone = new LonePartition([], { flows: [copy, firsts] });
  #batches = 0;

  /** Sends a batch of so many events; its ticket. */
  send(events: number): number {
    const first = ++this.#batches * 1_000;
    const lines = Array.from({ length: events }, (_, n) =>
      JSON.stringify({ n: first + n, what: "x".repeat(40), at: n }),
    );
    const parsed = kernels.parseEvents(new TextEncoder().encode(lines.join("\n")), In.columns);
    if (!parsed.ok) throw new Error("the test's events are wrong");
    const fields = [`c${String(first).padStart(31, "0")}`, "in"];
    const envelope = kernels.pack(INGEST, { rows: 1, columns: [1, first, 0, events], fields, tail: parsed.frame });
    this.lone.partition.ingest(TICKET + this.#batches, envelope);
    return TICKET + this.#batches;
  }

  async take(events: number): Promise<Answered | undefined> {
    const ticket = this.send(events);
    await this.lone.settle();
    return this.lone.replies.get(ticket)?.[1];
  }

  /** Numbers of all events that are kept. */
  async kept(): Promise<number[]> {
    const numbers: number[] = [];
    for (;;) {
      const input = { after: numbers.length - 1, limit: 1_000 };
      const { body } = await this.lone.call({ service: "#stream", key: "out", name: "read", input, internal: true });
      const { events } = JSON.parse(body) as { events: string[] };
      if (events.length === 0) return numbers;
      numbers.push(...events.map((event) => (JSON.parse(event) as { n: number }).n));
    }
  }

  /** Records that were written since this was asked last. */
  records(): RecordContent[] {
    const parts = this.lone.durable.splice(0).flatMap((op) => (op.op === "record" ? [op] : []));
    const bytes = new Map<number, Uint8Array[]>();
    for (const { seq, bytes: part } of parts) bytes.set(seq, [...(bytes.get(seq) ?? []), part]);
    return Array.from(bytes.values(), (of) => decodeRecord(kernels, Buffer.concat(of)));
  }
}

const numbers = (first: number, count: number): number[] => Array.from({ length: count }, (_, n) => first + n);

test("it is in several records, the answer in the first, and all of it is there after a restart and when it is folded", async () => {
  const run = new Run();
  expect(await run.take(10)).toMatchObject({ status: 200 });
  run.records();
  expect(await run.take(200)).toMatchObject({ status: 200, body: '{"accepted":200,"late":{"copy":0,"firsts":0}}' });
  const records = run.records();
  expect(records.length).toBeGreaterThan(2);
  expect(records.map(({ results }) => results.length)).toEqual([1, ...records.slice(1).map(() => 0)]);
  const all = [...numbers(1_000, 10), ...numbers(2_000, 200)];
  expect(await run.kept()).toEqual(all);
  run.lone.partition.crash();
  await run.lone.settle();
  expect(await run.kept()).toEqual(all);
  await run.lone.pass(60_000);
  run.lone.partition.crash();
  await run.lone.settle();
  expect(await run.kept()).toEqual(all);
  expect(run.lone.partition.failure).toBeUndefined();
});

test("whenever it crashes, all of it is there or nothing", async () => {
  const outcomes = new Set<number>();
  for (let moves = 1; moves < 24; moves++) {
    const run = new Run();
    await run.take(10);
    const ticket = run.send(200);
    for (let done = 0; done < moves; done++) {
      for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
      const options = run.lone.partition.moves();
      options[done % Math.max(1, options.length)]?.();
    }
    const answered = run.lone.replies.has(ticket);
    run.lone.partition.crash();
    await run.lone.settle();
    const { length } = await run.kept();
    expect([10, 210]).toContain(length);
    if (answered) expect(length).toBe(210);
    outcomes.add(length);
    // What came later is behind all of it.
    expect(await run.take(20)).toMatchObject({ status: 200 });
    expect(await run.kept()).toHaveLength(length + 20);
  }
  expect([...outcomes].toSorted((a, b) => a - b)).toEqual([10, 210]);
});

test("what is too much even so is refused, and nothing of it is there", async () => {
  const run = new Run();
  expect(await run.take(10)).toMatchObject({ status: 200 });
  const refused = await run.take(900);
  expect(refused?.status).toBe(500);
  expect(refused?.body).toContain("what a batch of events comes to is at most 60000 bytes on a partition");
  expect(await run.kept()).toEqual(numbers(1_000, 10));
});
