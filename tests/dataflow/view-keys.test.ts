/** Keys that requests name: one text for each, since rules are asked about it. */
import { describe, expect, test } from "vitest";
import type { ViewProgram } from "../../dataflow/program.ts";
import { requestedKey } from "../../dataflow/views.ts";

/** A view by some of the fields of its rows. */
function keyed(...key: readonly string[]): ViewProgram {
  const fields = { id: { kind: "int64" }, who: { kind: "text" }, ok: { kind: "boolean" } };
  return { sink: { key, input: { fields } } } as unknown as ViewProgram;
}

describe("a key of one whole number", () => {
  test.each(["0", "7", "-7", "9223372036854775807"])("is %s", (text) => {
    expect(requestedKey(keyed("id"), text)).toBeDefined();
  });
  test.each(["007", "-0", "+7", " 7", "7.0", "1e1", ""])("is not %j", (text) => {
    expect(requestedKey(keyed("id"), text)).toBeUndefined();
  });
});

describe("a key of several fields", () => {
  test("is exact", () => {
    const [one, other] = ["9007199254740993", "9007199254740992"].map((id) =>
      requestedKey(keyed("who", "id"), `["a",${id}]`),
    );
    expect(one?.text).not.toBe(other?.text);
    expect(requestedKey(keyed("who", "id"), '["a","9007199254740993"]')?.text).toBe(one?.text);
  });
  test.each(['[["a"],7]', "[null,7]", "[true,7]", '["a",7.5]', '["a"]', '{"0":"a","1":7}'])("is not %s", (text) => {
    expect(requestedKey(keyed("who", "id"), text)).toBeUndefined();
  });
});

describe("a key with a boolean", () => {
  test.each([
    [["ok"], "true"],
    [["ok", "id"], "[false,7]"],
  ])("of %j is %s", (key, text) => {
    expect(requestedKey(keyed(...key), text)).toBeDefined();
  });
  test.each([
    [["ok"], "1"],
    [["ok"], "True"],
    [["ok"], ""],
    [["ok", "id"], '["true",7]'],
    [["ok", "id"], "[1,7]"],
    [["ok", "id"], "[null,7]"],
  ])("of %j is not %s", (key, text) => {
    expect(requestedKey(keyed(...key), text)).toBeUndefined();
  });
});
