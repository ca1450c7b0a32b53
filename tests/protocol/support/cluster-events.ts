/** Events, views and deploys of other flows, for a {@link Cluster}. */
import type { Peer } from "../../../protocol/wire/messages.ts";
import { defineApp, type FlowDefinition } from "../../../sdk/index.ts";
import type { Cluster } from "./cluster.ts";
import { ingestFrame } from "./ingest-frame.ts";

/** Gives a partition a batch. Returns the status of the answer, once there is one. */
export async function ingest(cluster: Cluster, peer: Peer, stream: string, id: number, events: readonly object[]) {
  const frame = ingestFrame(cluster.app, stream, id, events);
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
