/** States as values for queries: the same value for the same text, never anybody's to change, within a bound. */
import { expect, test } from "vitest";
import * as z from "zod";
import { contract, fn, query, service } from "../../sdk/index.ts";
import { encodeValue } from "../../sdk/values.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { ReadValues } from "../../protocol/state/read-values.ts";
import { LonePartition } from "./support/lone-partition.ts";

const text = (mark: string, length = 300): string => encodeValue({ mark, pad: "x".repeat(length) });

test("a text that is read again is not parsed again, and another text of the same key is", () => {
  const values = new ReadValues(200, 10_000);
  const first = values.of("k", text("a"));
  expect(values.of("k", text("a"))).toBe(first);
  expect(values.of("k", text("b"))).toMatchObject({ mark: "b" });
  expect(values.of("k", text("a"))).not.toBe(first);
  expect(values.units).toBe(text("a").length);
});

test("what is given to many cannot be changed, and what cannot be frozen is given to one", () => {
  const values = new ReadValues(1, 10_000);
  const shared = values.of("k", encodeValue({ list: [1] })) as { list: number[] };
  expect(() => shared.list.push(2)).toThrow(TypeError);
  const bytes = encodeValue({ bytes: new Uint8Array(4) });
  expect(values.of("b", bytes)).not.toBe(values.of("b", bytes));
});

test("small texts, and those beyond the bound, are not kept; the least recently read goes first", () => {
  const values = new ReadValues(200, 2_000);
  values.of("small", encodeValue(1));
  values.of("large", text("l", 3_000));
  expect(values.units).toBe(0);
  const [a, b] = [values.of("a", text("a", 900)), values.of("b", text("b", 900))];
  expect(values.of("a", text("a", 900))).toBe(a);
  values.of("c", text("c", 900));
  expect(values.units).toBeLessThanOrEqual(2_000);
  expect(values.of("a", text("a", 900))).toBe(a);
  expect(values.of("b", text("b", 900))).not.toBe(b);
});

test("queries see what was written since", async () => {
  const Note = contract("note", { write: fn({ input: z.string() }), read: query({ output: z.string() }) });
  const note = service(
    Note,
    { state: () => ({ text: "" }) },
    { write: (ctx, input) => void (ctx.state.text = input), read: (ctx) => ctx.state.text.slice(0, 1) },
  );
  const partition = new LonePartition([note]);
  for (const mark of ["a", "b", "c"]) {
    await partition.call({ service: "note", key: "k", name: "write", input: mark.repeat(400) });
    for (let n = 0; n < 2; n++) {
      expect(await partition.call({ service: "note", key: "k", name: "read" })).toMatchObject({ body: `"${mark}"` });
    }
  }
  const { readValues } = partition.partition.engine.machine.transactions;
  expect(readValues.units).toBeGreaterThan(LIMITS.readValueLeast);
});
