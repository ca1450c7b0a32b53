/** What is known of messages that were delivered goes no further than their senders remember them, also by a move. */
import { expect, test } from "vitest";
import * as z from "zod";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { contract, fn, query, service } from "../../../sdk/index.ts";
import { useLimits } from "../../support/limits.ts";
import { clientId } from "../support/ingest-frame.ts";
import { Cluster, isOf } from "../support/cluster.ts";
import { nameOn } from "../support/names-on.ts";
import { kernels } from "../support/lone-partition.ts";

/** So small that the results of a few messages are more than may be kept. */
useLimits({ foldBytes: 1_000, carriedResults: 10, maxMessageResultsBytes: 2_000, moveFewKeys: 20 });

const Count = contract("count", {
  send: fn({ input: z.object({ to: z.string() }) }),
  add: fn(),
  n: query({ output: z.number() }),
});
const counts = service(
  Count,
  { state: () => ({ n: 0 }) },
  {
    send: (ctx, { to }) => void ctx.send(Count, to).add(),
    add: (ctx) => {
      ctx.state.n += 1;
    },
    n: (ctx) => ctx.state.n,
  },
);

let ids = 0;
function call(cluster: Cluster, peer: number, key: string, name: string, input?: object) {
  const id = clientId(++ids);
  const fields = [id, "count", key, name, input === undefined ? "" : JSON.stringify(input)];
  const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, INVOKE_FLAG.clientId, 0, 0], fields });
  return cluster.give(peer, { kind: "invoke", frame });
}

test("what changes while a move waits for the era in which nothing runs is sent before that when it has become much", async () => {
  const cluster = await Cluster.up(2, [counts], [], 2);
  const to = nameOn(1, 2, "b");
  const held = isOf("moved", 0);
  cluster.coordinator.rescale(1);
  await cluster.turn();
  await cluster.until("moved", 0);
  cluster.log = [];
  const pieces = () => cluster.log.filter((entry) => entry === "1>0 move-chunk").length;
  for (let n = 0; n < 15; n++) await call(cluster, 1, to, "add");
  await cluster.run(held);
  expect(pieces()).toBe(0);
  for (let n = 0; n < 15; n++) await call(cluster, 1, to, "add");
  await cluster.run(held);
  expect(pieces()).toBe(1);
  await cluster.settle();
  expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 1, phase: "still" });
  const answers = await call(cluster, 0, to, "n");
  await cluster.run();
  expect(answers()?.[0]?.body).toBe("30");
});

test("messages that are delivered and settled while their key is copied do not fill its new partition", async () => {
  const cluster = await Cluster.up(2, [counts], [], 2);
  const [from, to] = [nameOn(0, 2, "a"), nameOn(1, 2, "b")];
  const held = isOf("moved", 0);
  cluster.coordinator.rescale(1);
  await cluster.turn();
  await cluster.until("moved", 0);
  for (let n = 0; n < 60; n++) {
    await call(cluster, 0, from, "send", { to });
    await cluster.run(held);
  }
  await cluster.pass(1_000);
  await cluster.run(held);
  await cluster.settle();
  expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 1, phase: "still" });
  // What is carried no longer is folded.
  for (let n = 0; n < 5; n++) {
    cluster.clock += 120_000;
    await call(cluster, 0, to, "add");
    await cluster.fold(0);
    await cluster.settle();
  }
  for (let n = 0; n < 5; n++) await call(cluster, 0, from, "send", { to });
  await cluster.run();
  for (let n = 0; n < 40; n++) {
    await cluster.pass(500);
    await cluster.run();
  }
  const answers = await call(cluster, 0, to, "n");
  await cluster.run();
  expect(answers()?.[0]?.body).toBe("70");
});
