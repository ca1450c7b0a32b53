/** A partition that has an epoch to itself is lost: what became of the epoch only the records tell, and the coordinator's next generation asks for them. */
import { afterAll, expect, test } from "vitest";
import { openGate } from "../app/src/gates.ts";
import type { RowOperation } from "../app/src/row-operation.ts";
import { ask, call, freshKey, leftovers } from "./support/app.ts";
import { abortOne, untilAnswered } from "./support/patience.ts";
import { keysApart } from "./support/spread.ts";

afterAll(async () => expect(await leftovers()).toBe(0));

async function generation(): Promise<number> {
  const { headers } = await ask(["account", freshKey()], "balance");
  return Number(headers.get("tidegate-epoch")?.split(".")[0]);
}

test("the coordinator starts over when the sole member of an epoch is lost, and the transaction happens once", async () => {
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
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = await generation();
  await abortOne(root);
  openGate(`${name}/2`);
  expect((await untilAnswered(transaction)).status).toBe(200);
  await lost;
  expect(await generation()).toBe(before + 1);
});
