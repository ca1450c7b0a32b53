/** Events of the window kernel's flows that are much longer than others. */
import { expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { count, flow, int64, stream, text, timestamp, tumbling } from "../../sdk/index.ts";
import { useLimits } from "../support/limits.ts";
import { LonePartition } from "./support/lone-partition.ts";

const limits = useLimits();
const In = stream("in", { item: text(), n: int64(), at: timestamp() });
const counted = flow("counted")
  .from(In, { time: "at" })
  .keyBy("item")
  .window(tumbling(10))
  .aggregate({ c: count() })
  .toView("counted");

test.each([
  ["fits a value", "x", LIMITS.maxValueBytes / 2, 200],
  ["is longer than a value may be", "x", LIMITS.maxValueBytes, 500],
  ["is longer than that in UTF-8 only", "漢", LIMITS.maxValueBytes / 2, 500],
])("a late event that %s", async (_, character, times, status) => {
  const partition = new LonePartition([], { flows: [counted] });
  await partition.ingest("in", [{ item: "a", n: 1, at: 1_000 }]);
  const answer = await partition.ingest("in", [{ item: character.repeat(times), n: 1, at: 1 }]);
  expect(answer).toMatchObject({ status });
  if (status !== 200) expect(answer?.body).toContain("/problems/transaction-too-large");
  const { body } = await partition.view("counted");
  expect(JSON.parse(body)).toMatchObject({ events: status === 200 ? 2 : 1, late: status === 200 ? 1 : 0 });
});

test("a page of a view ends when it is long, and names the next", async () => {
  limits.maxViewChars = LIMITS.maxEntryKeyBytes / 2;
  const partition = new LonePartition([], { flows: [counted] });
  for (let n = 0; n < 4; n++)
    await partition.ingest("in", [{ item: `${n}${"x".repeat(limits.maxViewChars)}`, n: 1, at: 1 }]);
  const { body } = await partition.view("counted");
  expect(JSON.parse(body)).toMatchObject({ rows: [expect.anything()], next: expect.any(String) });
});
