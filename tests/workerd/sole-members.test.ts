/** A partition that has an epoch to itself is lost: if it may have decided that, only the records tell, and the coordinator's next generation asks for them. */
import { afterAll, expect, test } from "vitest";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { encodeBatch, NEWEST_FORMAT } from "../../protocol/wire/codec.ts";
import type { ReportMessage } from "../../protocol/wire/messages.ts";
import { openGate } from "../app/src/gates.ts";
import type { RowOperation } from "../app/src/row-operation.ts";
import { call, coordinator, freshKey, leftovers, PARTITIONS } from "./support/app.ts";
import { abortOne, sleep, untilAnswered } from "./support/patience.ts";
import { keysApart } from "./support/spread.ts";

afterAll(async () => expect(await leftovers()).toBe(0));

/** One transaction over three partitions, of which the root's is lost while its function waits. */
async function loseRoot(): Promise<void> {
  const [root, ...keys] = keysApart(3);
  const name = `lost-${freshKey()}`;
  const operations: RowOperation[] = [
    { op: "write", row: 1, value: 1 },
    { op: "write", row: 2, value: 2 },
    { op: "commit" },
  ];
  for (const step of [0, 1]) openGate(`${name}/${step}`);
  const transaction = () => call(["table", root], "transaction", { name, keys, operations }, name);
  const lost = transaction().catch(() => null);
  await sleep(100);
  expect((await coordinator().status()).closing?.phase).toBe("sole");
  await abortOne(root);
  openGate(`${name}/2`);
  expect((await untilAnswered(transaction)).status).toBe(200);
  await lost;
}

test("a sole member that has recorded nothing is lost: its epoch is aborted, and the transaction happens once", async () => {
  await loseRoot();
  expect(await coordinator().status()).toMatchObject({ generation: 1, phase: "running", aborts: 1 });
});

test("a sole member comes back and may have recorded its epoch: the coordinator starts over and serves", async () => {
  // A partition that there is not, by hand.
  const sender = PARTITIONS;
  const kernels = createReferenceKernels();
  const { generation, base } = await coordinator().status();
  const tell = async (senderIncarnation: number, first: number, message: ReportMessage): Promise<unknown> => {
    const head = { sender, senderIncarnation, receiverIncarnation: generation, first, era: base, reads: NEWEST_FORMAT };
    return coordinator()
      .peerSession()
      .deliver(encodeBatch(kernels, head, [message]));
  };
  await tell(101, 1, { kind: "hello", reads: NEWEST_FORMAT, recorded: 0 });
  await tell(101, 2, { kind: "join" });
  expect((await coordinator().status()).closing?.phase).toBe("sole");
  const back = tell(102, 1, { kind: "hello", reads: NEWEST_FORMAT, recorded: Number.MAX_SAFE_INTEGER });
  await expect(back).rejects.toThrow("the sole member of an epoch is lost or silent");
  expect((await coordinator().status()).generation).toBe(generation + 1);
  await loseRoot();
});
