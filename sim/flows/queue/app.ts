/** A stream of a queue's messages, and a flow whose results do not depend on how they were delivered. */
import {
  contract,
  count,
  flow,
  type FlowDefinition,
  fn,
  int64,
  query,
  service,
  type ServiceDefinition,
  sinks,
  stream,
  sum,
} from "../../../sdk/index.ts";
import { anything } from "../../clients/schema.ts";
import { counted, functionHost } from "../../world/functions.ts";
import { EPOCH_MS } from "../../world/object.ts";
import { fields, type FlowEvent } from "../model/events.ts";

export const Queued = stream("flow-queued", fields);
export const QueuedLog = stream("queued-log", { n: int64() });
export const QUEUE_FLOW = "queue";
/** As the consumer knows it. */
export const QUEUE = "simulated-queue";

/** A message that its flow fails on for so long: what comes with it is taken one by one. ms since the run began. */
const FAILS_UNTIL_MS = 4_500;
export const isFailing = ({ v }: Pick<FlowEvent, "v">): boolean => v === 9;

const tallies = contract("fq", {
  note: fn({ input: anything<{ n: number; v: number }>() }),
  seen: query({ output: anything<readonly number[]>() }),
  all: query({ input: anything<readonly string[]>(), output: anything<Record<string, readonly number[]>>() }),
});

export function tallyService(): ServiceDefinition {
  return service(
    tallies,
    { state: (): { noted: number[] } => ({ noted: [] }) },
    {
      note(ctx, { n, v }) {
        const isTooEarly = functionHost().trueMs < EPOCH_MS + FAILS_UNTIL_MS;
        if (isFailing({ v }) && isTooEarly) throw new Error("it is not time for this message");
        ctx.state.noted.push(n);
      },
      seen: ({ state }) => [...state.noted],
      all: (ctx, keys) =>
        counted(async () => {
          const seen = await Promise.all(keys.map((key) => ctx.call(tallies, key).seen()));
          return Object.fromEntries(keys.map((key, at) => [key, seen[at] as readonly number[]]));
        }),
    },
  );
}

export function queueFlow(): FlowDefinition {
  const queued = flow(QUEUE_FLOW).from(Queued, { time: "at" });
  const tallied = queued
    .keyBy("k")
    .shards(2)
    .aggregate({ count: count(), total: sum("v") })
    .named("queued");
  return sinks(
    queued.map((e) => ({ n: e.n })).toStream(QueuedLog),
    tallied.toView("queued"),
    queued.call(tallies, "note", { key: (e) => e.k, input: (e) => ({ n: Number(e.n), v: Number(e.v) }) }),
  );
}
