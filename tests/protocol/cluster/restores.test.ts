/** What a restore meets on its way: the instance that it is done with, and changes of the number of partitions. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { AdminReply, RestoreAnswer } from "../../../protocol/backup/asks.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { contract, fn, query, service } from "../../../sdk/index.ts";
import type { Place } from "../../../sim/program.ts";
import { z } from "zod";
import { add } from "../../workerd/support/steps.ts";
import { asked, backedUp, type BackupDriver, restoreInto, takeIn } from "../support/backup-driver.ts";
import { Cluster, isOf } from "../support/cluster.ts";
import { clientId } from "../support/ingest-frame.ts";
import { kernels } from "../support/lone-partition.ts";
import { nameOn } from "../support/names-on.ts";

/** Folds, and tables, of a few transactions. */
vi.mock(import("../../../protocol/limits.ts"), async (load) => {
  const { LIMITS } = await load();
  return { LIMITS: { ...LIMITS, foldBytes: 1_500, backupTableBytes: 2_000 } } as never;
});

/** Purses, so many, with five each. */
async function filled(cluster: Cluster, peer: number, purses: number): Promise<Cluster> {
  for (let n = 0; n < purses; n++) await cluster.ask(cluster.place(peer, n), [add(5)]);
  await cluster.settle();
  return cluster;
}

/** What is there, by a request that the domain which was backed up has not had. */
let reads = 0;
async function numberAt(cluster: Cluster, place: Place): Promise<unknown> {
  const request = await cluster.ask(place, [{ op: "read" }], { name: "look", id: clientId(1_000_000 + ++reads) });
  await cluster.settle();
  return (JSON.parse(request.answer?.body ?? "null") as Array<{ n: number }> | null)?.[0]?.n;
}

describe("an instance that is done with a restore, and works on until it is replaced,", () => {
  let cluster: Cluster;
  let backup: BackupDriver;
  const id = "backup-1";

  beforeEach(async () => {
    backup = await backedUp(await filled(await Cluster.up(1), 0, 40), 1);
    cluster = await Cluster.up(1);
  });

  async function stopped(): Promise<void> {
    await asked(cluster, 0, { op: "restore", id });
    for (const bytes of backup.tables[0]!.slice(0, -1)) await asked(cluster, 0, { op: "restore-table", id, bytes });
    expect(await asked(cluster, 0, { op: "restore-stop", id })).toMatchObject({ restart: true });
  }

  test("folds nothing of what was forgotten: the domain is empty", async () => {
    await stopped();
    await cluster.fold(0);
    await cluster.restart(0);
    await cluster.settle();
    const [store] = cluster.stores;
    expect([store!.stateBlocks.size, store!.records.length]).toEqual([0, 0]);
    await restoreInto(cluster, backup);
    expect(await numberAt(cluster, cluster.place(0, 7))).toBe(5);
  });

  test("takes no more tables: the mark of what was forgotten does not come back", async () => {
    await stopped();
    const bytes = backup.tables[0]!.at(-1) as Uint8Array;
    const refused = (await cluster.admin(0, { op: "restore-table", id, bytes })) as AdminReply;
    expect(JSON.parse(refused.body)).toMatchObject({ type: "/problems/overloaded", retryable: true });
    await cluster.restart(0);
    await cluster.settle();
    expect(await cluster.admin(0, { op: "restore-end", id })).toMatchObject({ status: 409 });
  });

  test("folds nothing of what is to be served: what the backup says of forgotten answers stays", async () => {
    const source = await Cluster.up(1);
    // An id as the edge makes them.
    const edgeId = `e${source.clock.toString(16).padStart(11, "0")}${"a".repeat(12)}00000001`;
    const frame = kernels.pack(INVOKE, {
      rows: 1,
      columns: [1, 0, 0, 0],
      fields: [edgeId, ...source.place(0), "run", JSON.stringify({ steps: [add(1)] })],
    });
    await source.give(0, { kind: "invoke", frame });
    await filled(source, 0, 40);
    backup = await backedUp(source, 1);
    await takeIn(cluster, backup);
    await asked(cluster, 0, { op: "restore-end", id });
    await cluster.fold(0);
    await cluster.restart(0);
    await cluster.settle();
    const again = await cluster.give(0, { kind: "invoke", frame });
    await cluster.settle();
    expect(again()?.[0]?.status).toBe(504);
    expect(await numberAt(cluster, cluster.place(0))).toBe(6);
  });
});

async function seconds(cluster: Cluster, count: number): Promise<void> {
  for (let second = 0; second < count; second++) {
    await cluster.pass(1_000);
    await cluster.run();
  }
}

describe("a change of the number of partitions", () => {
  const id = "backup-1";
  let cluster: Cluster;
  let backup: BackupDriver;
  const stateOf = async (peer: number) =>
    JSON.parse((await asked(cluster, peer, { op: "restore", id })).body) as RestoreAnswer;
  async function end(peer: number): Promise<void> {
    await asked(cluster, peer, { op: "restore-end", id });
    await cluster.restart(peer);
    await cluster.settle();
  }

  beforeEach(async () => {
    const source = await Cluster.up(2, [], [], 2);
    for (const peer of [0, 1]) await filled(source, peer, 20);
    backup = await backedUp(source, 2);
    cluster = await Cluster.up(3, [], [], 2);
    await takeIn(cluster, backup);
  });

  test("while a restore is cut off lets it go on, and waits for it", async () => {
    await end(0);
    cluster.coordinator.rescale(3);
    await seconds(cluster, 20);
    expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ phase: "copying", partitions: 2 });
    expect(await Promise.all([stateOf(0), stateOf(1)])).toMatchObject([{ state: "done" }, { state: "staging" }]);
    for (const bytes of backup.tables[1]!) await asked(cluster, 1, { op: "restore-table", id, bytes });
    await end(1);
    expect(await stateOf(1)).toMatchObject({ state: "done" });
    await seconds(cluster, 20);
    expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ phase: "still", partitions: 3 });
  });

  test("behind the end of a restore does not keep anybody from seeing that it is through", async () => {
    for (const peer of [0, 1]) await end(peer);
    cluster.coordinator.rescale(3);
    await cluster.turn();
    await cluster.run(isOf("moved"));
    expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ phase: "copying" });
    expect(await Promise.all([stateOf(0), stateOf(1)])).toMatchObject([{ state: "done" }, { state: "done" }]);
    await seconds(cluster, 20);
    expect(await Promise.all([stateOf(0), stateOf(1)])).toMatchObject([{ state: "done" }, { state: "done" }]);
  });
});

describe("where the domain had more partitions before its backup, and has more again behind the restore,", () => {
  const List = contract("list", {
    send: fn({ input: z.object({ to: z.string(), n: z.int(), at: z.int().optional() }) }),
    add: fn({ input: z.int() }),
    all: query({ output: z.array(z.number()) }),
  });
  const list = service(
    List,
    { state: (): number[] => [] },
    {
      send(ctx, { to, n, at }) {
        if (at === undefined) ctx.send(List, to).add(n);
        else ctx.send(List, to, { at }).add(n);
      },
      add: (ctx, n) => void ctx.state.push(n),
      all: (ctx) => [...ctx.state],
    },
  );
  const [from, to] = [nameOn(1, 2, "a"), nameOn(0, 2, "b")];
  /** Of a client, and none like another in any domain. */
  let requests = 0;
  async function ask(cluster: Cluster, peer: number, key: string, name: string, input?: unknown) {
    const fields = [clientId(++requests), "list", key, name, input === undefined ? "" : JSON.stringify(input)];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [1, INVOKE_FLAG.clientId, 0, 0], fields });
    const answered = await cluster.give(peer, { kind: "invoke", frame });
    return () => answered()?.[0];
  }
  async function rescale(cluster: Cluster, partitions: number): Promise<void> {
    cluster.coordinator.rescale(partitions);
    await cluster.turn();
    await cluster.settle();
    expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ partitions, phase: "still" });
  }

  /** Behind the restore, too. Messages for the same time have it in their ids. */
  const at = 1_800_000_500_000;
  test.each([
    ["a message", {}],
    ["a message for a time for which another one waits", { at }],
  ])("%s of the new partition is no message of its namesake", async (_, when) => {
    const source = await Cluster.up(2, [list], [], 2);
    await ask(source, 1, from, "send", { to, n: 1, ...when });
    // What has become of the message is not settled, so that its result is kept.
    for (let second = 0; second < 5; second++) {
      await source.run(isOf("settled", 1, 0));
      await source.pass(1_000);
    }
    await source.restart(1);
    source.take(isOf("settled", 1, 0));
    await source.settle();
    await rescale(source, 1);
    const backup = await backedUp(source, 1);
    const cluster = await Cluster.up(2, [list], [], 1);
    await restoreInto(cluster, backup);
    cluster.clock = source.clock + 1_000;
    await rescale(cluster, 2);
    await ask(cluster, 1, from, "send", { to, n: 2, ...when });
    await cluster.settle();
    cluster.clock = at;
    for (const peer of [0, 1]) cluster.node(peer).engine.input({ kind: "alarm" });
    await cluster.turn();
    await cluster.settle();
    const all = await ask(cluster, 0, to, "all");
    await cluster.settle();
    expect(all()).toMatchObject({ status: 200, body: "[1,2]" });
  });
});
