/** Keys and state that are asked for while key groups move: what is stored is shown, whichever partition has it by then. */
import { expect, test } from "vitest";
import type { KeyGroupMap } from "../../protocol/keygroups/map.ts";
import { INVOKE, INVOKE_FLAG } from "../../protocol/wire/invoke.ts";
import { contract, fn, service } from "../../sdk/index.ts";
import { getKeys, getState } from "../../worker/admin/state.ts";
import { partitionOf } from "../../worker/keys.ts";
import { Cluster } from "../protocol/support/cluster.ts";
import { clientId } from "../protocol/support/ingest-frame.ts";
import { kernels } from "../protocol/support/lone-partition.ts";

const list = service(
  contract("list", { add: fn() }),
  { state: () => ({ n: 0 }) },
  {
    add(ctx) {
      ctx.state.n += 1;
    },
  },
);
const mapOf = ({ coordinator }: Cluster) => coordinator.machine.map as KeyGroupMap;
const keeperOf = (cluster: Cluster, key: string) => partitionOf(kernels, mapOf(cluster), key);
const KEYS = Array.from({ length: 10 }, (_, n) => `k${n}`);

/** The administration's answers, by partitions in memory. */
function answersOf(cluster: Cluster): (path: string) => Promise<Record<string, unknown>> {
  const backend = {
    refreshMap: () => undefined,
    keyGroupMap: () => Promise.resolve(mapOf(cluster)),
    kernels: () => kernels,
  };
  const admin = { partition: (peer: number) => ({ admin: (ask: never) => cluster.admin(peer, ask) }) };
  return async (path) => {
    const edge = { app: cluster.app, backend, admin, request: new Request(`http://app.example${path}`) } as never;
    const response = await (path.startsWith("/admin/keys") ? getKeys(edge) : getState(edge));
    return (await response.json()) as Record<string, unknown>;
  };
}

async function fill(cluster: Cluster): Promise<void> {
  for (const [n, key] of KEYS.entries()) {
    const fields = [clientId(n), "list", key, "add", ""];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [1, INVOKE_FLAG.clientId, 0, 0], fields });
    await cluster.give(keeperOf(cluster, key), { kind: "invoke", frame });
  }
  await cluster.settle();
}

test.each([
  [1, 2],
  [2, 1],
])("none is missing when %d partitions become %d", async (from, to) => {
  const cluster = await Cluster.up(2, [list], [], from);
  await fill(cluster);
  const ask = answersOf(cluster);
  expect(await ask("/admin/keys?service=list")).toEqual({ keys: KEYS });
  cluster.coordinator.rescale(to);
  await cluster.turn();
  const isMoving = () => cluster.node(0).engine.machine.participation.phase === "moving";
  for (let steps = 0; steps < 500 && !isMoving(); steps++) if (!(await cluster.deliver())) await cluster.pass(250);
  expect(isMoving()).toBe(true);
  const asked = ["/admin/keys?service=list", ...KEYS.map((key) => `/admin/state?service=list&key=${key}`)].map(ask);
  await cluster.settle();
  const [keys, ...states] = await Promise.all(asked);
  expect(keys).toEqual({ keys: KEYS });
  expect(mapOf(cluster).partitions).toBe(to);
  for (const [at, key] of KEYS.entries())
    expect(states[at]).toMatchObject({ value: { n: 1 }, partition: keeperOf(cluster, key) });
});

test("a partition does not answer for a key that another one keeps", async () => {
  const cluster = await Cluster.up(2, [list], [], 2);
  await fill(cluster);
  for (const key of KEYS)
    for (const peer of [0, 1]) {
      const isHere = keeperOf(cluster, key) === peer;
      expect(await cluster.admin(peer, { op: "rows", service: "list", key, after: null, limit: 10 })).toMatchObject({
        status: isHere ? 200 : 503,
        body: expect.stringContaining(isHere ? '"map":1' : "/problems/keys-moving") as unknown,
      });
    }
});
