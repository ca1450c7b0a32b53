/** What ends with a batch may be too much for a partition that is not the stream's: time then follows in steps, as it does on one partition. */
import { expect, test } from "vitest";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { initialMap, partitionOfHash } from "../../../protocol/keygroups/map.ts";
import { flow, int64, sliding, stream, sum, text, timestamp } from "../../../sdk/index.ts";
import { useLimits } from "../../support/limits.ts";
import { Cluster } from "../support/cluster.ts";
import { ingestFrame } from "../support/ingest-frame.ts";
import { kernels } from "../support/lone-partition.ts";

const limits = useLimits();
const PARTITIONS = 4;
const KEYS = 100;
const MINUTES = 20;
const In = stream("in", { key: text(), value: int64(), at: timestamp() });
const Sums = stream("sums", { key: text(), total: int64(), at: timestamp() }, { retention: "1h" });
const slides = flow("slides")
  .from(In, { time: "at" })
  .keyBy("key")
  .window(sliding("20m", "1m"))
  .aggregate({ total: sum("value") })
  .map((e) => ({ key: e.key, total: e.total, at: e.windowEnd }))
  .toStream(Sums);

class Run {
  readonly cluster: Cluster;
  #ids = 0;
  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  async ingest(events: readonly object[]): Promise<unknown> {
    const frame = ingestFrame(this.cluster.app, In.name, ++this.#ids, events);
    const answer = await this.cluster.give(peerOf(In.name), { kind: "ingest", frame });
    await this.cluster.settle();
    return answer();
  }

  async given(): Promise<number> {
    const flags = INVOKE_FLAG.clientId | INVOKE_FLAG.internal;
    const id = `c${(1_000 + ++this.#ids).toString(16).padStart(31, "0")}`;
    const fields = [id, "#stream", Sums.name, "read", JSON.stringify({ after: -1, limit: 1 })];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, flags, 0, 0], fields });
    const answer = await this.cluster.give(peerOf(Sums.name), { kind: "invoke", frame });
    await this.cluster.settle();
    return (JSON.parse(answer()?.[0]?.body ?? "") as { end: number }).end;
  }
}
const peerOf = (key: string) => partitionOfHash(initialMap(PARTITIONS), kernels.hashKey(key));

test("results that are too much for the partition of the stream that they go to come in steps", async () => {
  expect(peerOf(In.name)).not.toBe(peerOf(Sums.name));
  const run = new Run(await Cluster.up(PARTITIONS, [], [slides]));
  for (let minute = 0; minute < MINUTES; minute++) {
    const events = Array.from({ length: KEYS }, (_, n) => ({ key: `k${n}`, value: 1, at: 60_000 * minute }));
    expect(await run.ingest(events)).toMatchObject([{ status: 200 }]);
  }
  const before = await run.given();
  limits.maxTransactionBytes = 8 * 1024;
  limits.maxFlowBytes = 8 * 1024;
  expect(await run.ingest([{ key: "end", value: 1, at: 100_000_000 }])).toMatchObject([{ status: 200 }]);
  expect(await run.given()).toBe(before + MINUTES * KEYS);
});
