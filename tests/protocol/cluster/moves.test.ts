/** Moves of key groups whose partners miss each other: what was acknowledged by an instance that has been replaced has reached nobody. */
import { describe, expect, test } from "vitest";
import { initialMap, rescaledMap } from "../../../protocol/keygroups/map.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import type { Peer, PeerMessage } from "../../../protocol/wire/messages.ts";
import type { Step } from "../../../sim/program.ts";
import { strayKeys } from "../../../sim/strays.ts";
import { Cluster, isOf } from "../support/cluster.ts";
import { useLimits } from "../../support/limits.ts";
import { kernels } from "../support/lone-partition.ts";

/** Partition 2 comes, of which both others are sources. */
test("a target that restarts is heard of by its source, though a replaced instance of that took its first word", () =>
  movesThough({ restarts: 2, hears: 0 }));

test("a source that restarts is heard of by a target that has copied, though a replaced instance of that took its first word", () =>
  movesThough({ restarts: 0, hears: 2 }));

/** One partner restarts in the middle of a move; what it first says to the other is heard by an instance that was replaced before. */
async function movesThough({ restarts, hears }: { restarts: Peer; hears: Peer }): Promise<void> {
  const cluster = await Cluster.up(3, [], [], 2);
  const replaced = cluster.node(hears);
  await cluster.restart(hears);
  await cluster.run();
  cluster.coordinator.rescale(3);
  await cluster.turn();
  // Everything is copied, and the coordinator does not hear of it.
  await cluster.until("moved", 2);
  cluster.take(isOf("moved"));
  await cluster.restart(restarts);
  await cluster.until("era");
  await cluster.run((batch) => batch.from.peer === restarts && batch.to === hears);
  for (let strays = 0; strays < 2; strays++) {
    await cluster.stray(
      cluster.net.find(({ from, to }) => from === cluster.node(restarts) && to === hears)!,
      replaced,
    );
    await cluster.run((batch) => batch.from.peer === restarts && batch.to === hears);
  }
  for (let second = 0; second < 30; second++) {
    await cluster.run();
    await cluster.pass(1_000);
  }
  expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 3, phase: "still" });
}

test("a partition that says that nothing is left of what it gave away has written what deletes the last of it", async () => {
  const cluster = await Cluster.up(2, [], [], 2);
  for (let n = 0; n < 5; n++) await cluster.ask(cluster.place(1, n), [{ op: "add", by: 1 }]);
  await cluster.run();
  const [store, node] = [cluster.stores[1]!, cluster.node(1)];
  const setup = { app: cluster.app, kernels, map: rescaledMap(initialMap(2), 1) };
  // Work is done before flushes, as it may be.
  const callBack = node.callBack.bind(node);
  node.callBack = (kind) => {
    if (kind !== "flush" || !node.wants.has("work")) callBack(kind);
  };
  const strays: string[][] = [];
  const perform = store.perform.bind(store);
  store.perform = (op) => {
    perform(op);
    if (op.op === "put-meta" && op.name === "garbage" && op.value === "") strays.push(strayKeys(store, 1, setup));
  };
  expect(strayKeys(store, 1, setup)).toHaveLength(5);
  cluster.coordinator.rescale(1);
  await cluster.turn();
  await cluster.settle();
  expect(strays).toEqual([[]]);
});

test("what is told of a result that is in no record yet leaves behind that record, and is not there alone when its source is lost", async () => {
  const cluster = await Cluster.up(2, [], [], 2);
  const node = cluster.node(1);
  const [service, key] = cluster.place(1);
  const callBack = node.callBack.bind(node);
  // Its flush comes so late that it is lost before.
  node.callBack = (kind) => (kind === "flush" ? void node.wants.delete(kind) : callBack(kind));
  const { id } = await cluster.ask([service, key], [{ op: "add", by: 1 }]);
  cluster.coordinator.rescale(1);
  await cluster.turn();
  await cluster.until("move-chunk", 1, 0);
  await cluster.deliver(isOf("move-chunk", 1, 0));
  await cluster.restart(1);
  await cluster.settle();
  const ask = async (name: string, steps: readonly Step[], requestId: string): Promise<unknown> => {
    const fields = [requestId, service, key, name, JSON.stringify({ steps })];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, INVOKE_FLAG.clientId, 0, 0], fields });
    const answered = await cluster.give(0, { kind: "invoke", frame });
    await cluster.settle();
    return JSON.parse(answered()?.[0]?.body ?? "null");
  };
  await ask("run", [{ op: "add", by: 1 }], id);
  expect(await ask("look", [{ op: "read" }], `c${"f".repeat(31)}`)).toMatchObject([{ n: 1 }]);
});

test("when nothing could run for too long all is copied again before nothing may run once more", async () => {
  const cluster = await Cluster.up(2, [], [], 2);
  for (let n = 0; n < 20; n++) await cluster.ask(cluster.place(1, n), [{ op: "add", by: n }]);
  await cluster.run();
  cluster.coordinator.rescale(1);
  await cluster.turn();
  const status = () => cluster.coordinator.machine.rescaleStatus!;
  const isLast = ({ messages }: { readonly messages: readonly PeerMessage[] }) =>
    messages.some((message) => message.kind === "move-chunk" && message.stage === "last");
  await cluster.run(isLast);
  expect(status()).toMatchObject({ phase: "frozen", copied: 1, done: 0 });
  for (let waited = 0; waited <= LIMITS.frozenMs; waited += 1_000) {
    await cluster.pass(1_000);
    await cluster.run(isLast);
  }
  // What comes late is of a move that was given up.
  expect(status()).toMatchObject({ phase: "copying", copied: 0 });
  const served = await cluster.ask(cluster.place(0), [{ op: "add", by: 1 }]);
  await cluster.run(isLast);
  expect(served.answer?.status).toBe(200);
  await cluster.settle();
  expect(status()).toMatchObject({ partitions: 1, phase: "still" });
  for (let n = 0; n < 20; n++) {
    const fields = [`c${String(n).padStart(31, "e")}`, ...cluster.place(1, n), "look", '{"steps":[{"op":"read"}]}'];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, INVOKE_FLAG.clientId, 0, 0], fields });
    const answered = await cluster.give(0, { kind: "invoke", frame });
    await cluster.settle();
    expect(JSON.parse(answered()?.[0]?.body ?? "null")).toMatchObject([{ n }]);
  }
});

describe("of a batch whose lines are for keys of two partitions", () => {
  useLimits({ edgeResultBytes: 4_000 });

  test.each([false, true])("one that has not run yet runs behind a move, restarted %s", async (restarts) => {
    const cluster = await Cluster.up(2, [], [], 2);
    const batch = `e${cluster.clock.toString(16).padStart(11, "0")}abcdefabcdef`;
    const line = async (peer: Peer, of: Peer, n: number): Promise<number | undefined> => {
      const id = batch + n.toString(16).padStart(8, "0");
      const fields = [id, ...cluster.place(of), "run", '{"steps":[{"op":"add","by":1}]}'];
      const frame = kernels.pack(INVOKE, { rows: 1, columns: [n, 0, 0, 0], fields });
      const answered = await cluster.give(peer, { kind: "invoke", frame });
      await cluster.settle();
      return answered()?.[0]?.status;
    };
    expect(await line(0, 0, 2)).toBe(200);
    for (let n = 3; n < 60; n++) expect(await line(1, 1, n)).toBe(200);
    cluster.coordinator.rescale(1);
    await cluster.turn();
    await cluster.settle();
    expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 1, phase: "still" });
    if (restarts) await cluster.restart(0);
    await cluster.settle();
    expect(await line(0, 0, 20)).toBe(200);
    // Of the keys that moved those are forgotten up to some line, wherever that is known.
    expect(await line(0, 1, 5)).toBe(504);
    expect(await line(0, 1, 59)).toBe(200);
    expect(await line(0, 1, 60)).toBe(200);
    // And who has it no more sends it on.
    expect(await line(1, 1, 5)).toBe(503);
    expect(await cluster.look(cluster.place(0))).toBe(2);
  });
});
