/** Events, views and deploys of other flows, for a {@link Cluster}. */
import { fieldsRead } from "../../../dataflow/reads.ts";
import { initialMap, partitionOfHash } from "../../../protocol/keygroups/map.ts";
import type { Peer } from "../../../protocol/wire/messages.ts";
import { INGEST } from "../../../protocol/wire/ingest.ts";
import { INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { defineApp, type FlowDefinition } from "../../../sdk/index.ts";
import type { Cluster } from "./cluster.ts";
import { kernels } from "./lone-partition.ts";

/** The first name with this prefix that a partition keeps, of so many. */
export function nameOn(peer: Peer, partitions: number, prefix: string): string {
  const map = initialMap(partitions);
  for (let n = 0; ; n++) {
    const name = `${prefix}${n}`;
    if (partitionOfHash(map, kernels.hashKey(name)) === peer) return name;
  }
}

/** Gives a partition a batch. Returns the status of the answer, once there is one. */
export async function ingest(cluster: Cluster, peer: Peer, stream: string, id: number, events: readonly object[]) {
  const lines = new TextEncoder().encode(events.map((event) => JSON.stringify(event)).join("\n"));
  const only = fieldsRead(cluster.app, stream);
  const parsed = kernels.parseEvents(lines, cluster.app.streams.get(stream)?.columns ?? [], "ndjson", { only });
  if (!parsed.ok) throw new Error("these are no events of the stream");
  const columns = [INVOKE_FLAG.clientId, ...parsed.fingerprint, parsed.rows];
  const fields = [`c${id.toString(16).padStart(31, "0")}`, stream];
  const frame = kernels.pack(INGEST, { rows: 1, columns, fields, tail: parsed.frame });
  const answers = await cluster.give(peer, { kind: "ingest", frame });
  return () => answers()?.at(-1)?.status;
}

/** All of a view that a partition keeps. */
export async function viewOf(cluster: Cluster, peer: Peer, view: string): Promise<unknown> {
  const query = { view, key: undefined, limit: 1_000, after: undefined };
  const answers = await cluster.give(peer, { kind: "view", query });
  return answers()?.[0]?.body;
}

/** All partitions start again with other flows. */
export async function deploy(cluster: Cluster, flows: readonly FlowDefinition[], peers: readonly Peer[]) {
  (cluster as { app: unknown }).app = defineApp({ services: [], flows, partitions: 1 });
  for (const peer of peers) await cluster.restart(peer);
  await cluster.settle();
}
