/** Keys that requests name: one text for each, since rules are asked about it. */
import { describe, expect, test } from "vitest";
import type { ViewProgram } from "../../dataflow/program.ts";
import { requestedKey } from "../../dataflow/views.ts";
import { count, flow, int64, stream, text, timestamp } from "../../sdk/index.ts";
import { FlowBench } from "../protocol/support/flow-bench.ts";

/** A view by some of the fields of its rows. */
function keyed(...key: readonly string[]): ViewProgram {
  const fields = { id: { kind: "int64" }, who: { kind: "text" }, ok: { kind: "boolean" } };
  return { sink: { key, input: { fields } } } as unknown as ViewProgram;
}

describe("a key of one whole number", () => {
  test.each(["0", "7", "-7", "9223372036854775807", "-9223372036854775808"])("is %s", (asked) => {
    expect(requestedKey(keyed("id"), asked)).toBeDefined();
  });
  const beyond = ["9223372036854775808", "-9223372036854775809", "-9999999999999999999"];
  test.each(["007", "-0", "+7", " 7", "7.0", "1e1", "", ...beyond])("is not %j", (asked) => {
    expect(requestedKey(keyed("id"), asked)).toBeUndefined();
  });
});

describe("a key of several fields", () => {
  test("is exact", () => {
    const [one, other] = ["9007199254740993", "9007199254740992"].map((id) =>
      requestedKey(keyed("who", "id"), `["a",${id}]`),
    );
    expect(one?.text).not.toBe(other?.text);
  });
  test.each(['["a",7]', '["a\\"b",-7]', '["ä",9223372036854775807]', '["",0]'])("is %s", (asked) => {
    expect(requestedKey(keyed("who", "id"), asked)).toBeDefined();
  });
  test.each(['["a","7"]', '["a", 7]', ' ["a",7]', '["a",7]\n', '["\\u0061",7]', '["a",7.0]', '["a",7e0]', '["a",-0]'])(
    "has one text, which is not %j",
    (asked) => {
      expect(requestedKey(keyed("who", "id"), asked)).toBeUndefined();
    },
  );
  test("has one text where all fields are texts, too", () => {
    expect(requestedKey(keyed("who", "who"), '["a","7"]')).toBeDefined();
    expect(requestedKey(keyed("who", "who"), '["a",7]')).toBeUndefined();
  });
  test.each([
    '[["a"],7]',
    "[null,7]",
    "[true,7]",
    '["a",7.5]',
    '["a"]',
    '{"0":"a","1":7}',
    '["a",-9223372036854775809]',
  ])("is not %s", (asked) => {
    expect(requestedKey(keyed("who", "id"), asked)).toBeUndefined();
  });
});

describe("a key with a boolean", () => {
  test.each([
    [["ok"], "true"],
    [["ok", "id"], "[false,7]"],
  ])("of %j is %s", (key, asked) => {
    expect(requestedKey(keyed(...key), asked)).toBeDefined();
  });
  test.each([
    [["ok"], "1"],
    [["ok"], "True"],
    [["ok"], ""],
    [["ok", "id"], '["true",7]'],
    [["ok", "id"], "[1,7]"],
    [["ok", "id"], "[null,7]"],
  ])("of %j is not %s", (key, asked) => {
    expect(requestedKey(keyed(...key), asked)).toBeUndefined();
  });
});

test("a view says how a key of several fields is written, and has no rows under others", async () => {
  const Visits = stream("visits", { id: int64(), country: text(), at: timestamp() });
  const visits = flow("f").from(Visits, { time: "at" }).keyBy("id", "country");
  const bench = new FlowBench(visits.aggregate({ n: count() }).toView("hot"));
  await bench.ingest("visits", [{ id: 17, country: "de", at: 1 }]);
  const hot = (key: string): Promise<unknown> => bench.view("f", "hot", { key });
  expect(await hot('[17,"de"]')).toEqual([{ id: 17, country: "de", n: 1 }]);
  expect(await hot('[18,"de"]')).toEqual([]);
  for (const key of ['["17","de"]', '[17, "de"]', "[17]", "de"])
    await expect(hot(key)).rejects.toMatchObject({
      type: "invalid-key",
      message: expect.stringContaining('of the view "hot" is the JSON array [<id>,<country>]') as unknown,
    });
});
