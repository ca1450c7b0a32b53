/** Batches that have some columns of their stream: those that are read are enough, and without one of them nothing is taken. */
import { expect, test } from "vitest";
import { flow, int64, stream, text, timestamp } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const Taps = stream("taps", { card: text(), gate: int64(), note: text(), at: timestamp() });
const Gates = stream("gates", { gate: int64(), card: text() }, { retention: "1h" });
const gates = flow("gates")
  .from(Taps, { time: "at" })
  .filter(({ gate }) => gate.gt(0))
  .map(({ gate, card }) => ({ gate, card: card.upper() }))
  .toStream(Gates);
const taps = [
  { card: "ann", gate: 1, note: "n", at: 1_000 },
  { card: "bob", gate: 0, note: "n", at: 2_000 },
  { card: "cat", gate: 2, note: "n", at: 3_000 },
];

async function written(partition: LonePartition): Promise<unknown[]> {
  const input = { after: -1, limit: 10 };
  const answer = await partition.call({ service: "#stream", key: "gates", name: "read", input, internal: true });
  const { events } = JSON.parse(answer.body) as { readonly events: readonly string[] };
  return events.map((event) => (typeof event === "string" ? JSON.parse(event) : event) as unknown);
}
const expected = [
  { gate: 1, card: "ANN" },
  { gate: 2, card: "CAT" },
];

test("columns that are read are enough, and more are no harm", async () => {
  for (const only of [["card", "gate", "at"], ["card", "gate", "note", "at"], undefined]) {
    const partition = new LonePartition([], { flows: [gates] });
    const answer = await partition.ingest("taps", taps, only);
    expect(answer).toMatchObject({ status: 200 });
    expect(JSON.parse(answer.body)).toEqual({ accepted: 3, late: { gates: 0 } });
    expect(await written(partition)).toEqual(expected);
  }
});

test("without a column that is read nothing is taken, and the whole batch may come", async () => {
  const partition = new LonePartition([], { flows: [gates] });
  for (const only of [["gate", "at"], ["card", "gate"], []]) {
    expect(await partition.ingest("taps", taps, only)).toMatchObject({ status: 500 });
    expect(await written(partition)).toEqual([]);
  }
  expect(await partition.ingest("taps", taps, Object.keys(Taps.fields))).toMatchObject({ status: 200 });
  expect(await written(partition)).toEqual(expected);
});
