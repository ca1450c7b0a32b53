/** What comes to a flow by itself while that takes nothing: events that functions emit, and its own ticks. None is lost. */
import { expect, test } from "vitest";
import {
  contract,
  count,
  fn,
  flow,
  type FlowDefinition,
  int64,
  processing,
  service,
  stream,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const Made = stream("made", { k: text(), n: int64(), at: timestamp() });
const Out = stream("out", { k: text(), windowStart: timestamp(), windowEnd: timestamp(), count: int64() });
const Maker = contract("maker", { make: fn() });
let made = 0;
const maker = service(Maker, {}, { make: (ctx) => ctx.emit(Made, { k: "a", n: ++made, at: made }) });

/** Of the server's time, so that they end by themselves. */
const counts = (size: number): FlowDefinition =>
  flow("counts")
    .from(Made, { time: "at" })
    .keyBy("k")
    .window(processing(tumbling(size)))
    .aggregate({ count: count() })
    .named("windows")
    .toStream(Out);
const right = { flows: [counts(10_000)] };
/** It would lose the windows. */
const wrong = { flows: [counts(20_000)] };

const make = async (partition: LonePartition): Promise<void> =>
  expect((await partition.call({ service: "maker", key: "a", name: "make" })).status).toBe(200);
const shown = async (partition: LonePartition): Promise<unknown> => {
  const ask = { service: "#view", key: "made", name: "flow", input: { flow: "counts" }, internal: true };
  const { events, sources } = JSON.parse((await partition.call(ask)).body) as {
    readonly events: number;
    readonly sources: Readonly<Record<string, { readonly reached: number }>>;
  };
  return { events, reached: Object.values(sources)[0]?.reached };
};

test("an event that its stream cannot have is told of by the stream's name, where it is emitted", async () => {
  const seen: string[] = [];
  const careless = service(
    Maker,
    {},
    {
      make: (ctx) => {
        try {
          ctx.emit(Made, { k: "a", n: "many" as never, at: 1 });
        } catch (error) {
          seen.push(String(error));
        }
      },
    },
  );
  await make(new LonePartition([careless], right));
  expect(seen).toEqual([expect.stringMatching(/^TypeError: an event of the stream "made" cannot be emitted: "n": /)]);
});

test("events that are emitted while a flow would lose state wait, in their order, for a version that takes them", async () => {
  made = 0;
  const partition = new LonePartition([maker], right);
  await make(partition);
  await partition.pass(500);
  await partition.redeploy([maker], wrong);
  for (let n = 0; n < 3; n++) await make(partition);
  // Longer than any number of tries takes.
  await partition.pass(120_000, 1_000);
  expect(await shown(partition)).toEqual({ events: 1, reached: 1 });
  await partition.redeploy([maker], right);
  await partition.pass(60_000, 1_000);
  expect(await shown(partition)).toEqual({ events: 4, reached: 4 });
});

test("a window of the server's time that ends meanwhile gives its result when another version is there, without any event", async () => {
  made = 0;
  const partition = new LonePartition([maker], right);
  await make(partition);
  await partition.pass(500);
  await partition.redeploy([maker], wrong);
  await partition.pass(120_000, 1_000);
  await partition.redeploy([maker], right);
  await partition.pass(60_000, 1_000);
  const ask = { service: "#stream", key: "out", name: "read", input: { after: -1, limit: 10 }, internal: true };
  const { events } = JSON.parse((await partition.call(ask)).body) as { readonly events: readonly string[] };
  expect(events.map((event) => JSON.parse(event) as unknown)).toMatchObject([{ k: "a", count: 1 }]);
});

test("an event for a stream that a version of the code does not know waits for one that does", async () => {
  made = 0;
  const partition = new LonePartition([maker], right);
  await make(partition);
  await partition.pass(500);
  await partition.redeploy([maker], wrong);
  await make(partition);
  // Neither the flow nor its stream.
  await partition.redeploy([], {});
  await partition.pass(30_000, 1_000);
  await partition.redeploy([maker], right);
  await partition.pass(90_000, 1_000);
  expect(await shown(partition)).toEqual({ events: 2, reached: 2 });
});
