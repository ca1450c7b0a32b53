/** Splitting of columns frames against its twin, and what a part must be. */
import { describe, expect, it } from "vitest";
import { decodeColumns } from "../../core-wasm/reference/columns.ts";
import { CorruptError, type EventColumn, type Kernels } from "../../core-wasm/types.ts";
import { randomBody, randomColumns } from "./support/events.ts";
import { random } from "./support/random.ts";
import { both, twin, utf8, wasm } from "./support/subjects.ts";

const COLUMNS: readonly EventColumn[] = [
  { name: "id", type: "i64" },
  { name: "item", type: "text" },
  { name: "paid", type: "bool", optional: true },
  { name: "price", type: "f64" },
];

function frameOf(kernels: Kernels, body: string, columns: readonly EventColumn[]): Uint8Array {
  const parsed = kernels.parseEvents(utf8(body), columns);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
  return parsed.frame;
}

/** Key groups 0 to 15 in turn to so many partitions. */
const turns = (partitions: number) => Uint16Array.from({ length: 16 }, (_, group) => group % partitions);

describe.each(both)("%s", (_name, kernels) => {
  const ids = ["0", "-1", "9223372036854775807", "-9223372036854775808", "1000", "42", "42"];
  const body = ids
    .map((id, i) => `{"id":${id},"item":"${i % 2 ? "tea" : "milk"}","price":${i}${i % 3 ? `,"paid":${i === 4}` : ""}}`)
    .join("\n");

  it("puts each row where the key of its value's text is", () => {
    for (const key of [0, 1, 2]) {
      const frame = frameOf(kernels, body, COLUMNS);
      const whole = decodeColumns(frame).columns.map(({ cells }) => cells);
      const parts = kernels.splitEvents(frame, COLUMNS, key, turns(5));
      const rows = new Map<number, unknown[]>();
      for (let row = 0; row < ids.length; row++) {
        const partition = (kernels.hashKey(String(whole[key]?.[row] ?? "")) & 15) % 5;
        rows.set(partition, [...(rows.get(partition) ?? []), whole.map((cells) => cells[row])]);
      }
      const found = parts.map((part) => {
        const { columns, rows: count } = decodeColumns(part.frame);
        expect(count).toBe(part.rows);
        return [part.partition, Array.from({ length: count }, (_, row) => columns.map(({ cells }) => cells[row]))];
      });
      expect(found).toEqual([...rows].sort(([a], [b]) => a - b));
    }
  });

  it("gives nothing for no rows, and the frame itself for one partition", () => {
    expect(kernels.splitEvents(frameOf(kernels, "", COLUMNS), COLUMNS, 0, turns(3))).toEqual([]);
    const frame = frameOf(kernels, body, COLUMNS);
    expect(kernels.splitEvents(frame, COLUMNS, 0, turns(1))).toEqual([{ partition: 0, rows: ids.length, frame }]);
  });

  it("refuses damaged frames, other columns and what cannot be a key", () => {
    const frame = frameOf(kernels, body, COLUMNS);
    const other = COLUMNS.map((column) => ({ ...column, optional: true }));
    expect(() => kernels.splitEvents(frame, other, 0, turns(3))).toThrow(CorruptError);
    const damaged = Uint8Array.from(frame);
    damaged[100] = (damaged[100] as number) ^ 1;
    expect(() => kernels.splitEvents(damaged, COLUMNS, 0, turns(3))).toThrow(CorruptError);
    for (const key of [3, 4, -1])
      expect(() => kernels.splitEvents(frame, COLUMNS, key, turns(3))).toThrow(/^bad-split/);
    expect(() => kernels.splitEvents(frame, COLUMNS, 0, new Uint16Array(3))).toThrow(/^bad-split/);
  });
});

it("gives the twin's parts, byte for byte", () => {
  const source = random(11);
  for (let round = 0; round < 400; round++) {
    const columns = randomColumns(source, 6);
    const key = columns.findIndex(({ type }) => type !== "f64");
    if (key < 0) continue;
    const frame = frameOf(twin, randomBody(columns, source.int(40), source), columns);
    const groups = Uint16Array.from({ length: 2 ** source.int(6) }, () => source.int(9));
    const hex = (kernels: Kernels, bytes: Uint8Array) =>
      kernels
        .splitEvents(bytes, columns, key, groups)
        .map(({ partition, rows, frame: part }) => [partition, rows, Buffer.from(part).toString("hex")]);
    expect(hex(wasm, frame), `round ${round}`).toEqual(hex(twin, frame));
  }
});
