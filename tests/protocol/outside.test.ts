/** Of effects as they are kept: what is told of their ends. */
import { describe, expect, test } from "vitest";
import { outcomeLetter } from "../../protocol/outside/work.ts";
import { VALUE_MAX_DEPTH } from "../../sdk/limits.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";

function nested(depth: number): string {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return encodeValue(value);
}

function told(coded: string): unknown {
  const to = { service: "orders", key: "o1", name: "mailed", about: "mail" };
  return decodeValue(outcomeLetter("", to, { ok: true, value: coded }).input);
}

describe("the end of an effect", () => {
  test("is told with its result and what it is about", () => {
    expect(told(encodeValue({ id: 7n }))).toEqual({ ok: true, value: { id: 7n }, about: "mail" });
    expect(told(encodeValue(undefined))).toEqual({ ok: true, about: "mail" });
  });

  // Thrown at, the partition that settles it would fail, begin anew, run the effect again, and fail again.
  test("is a failure where its result is too deep to be told", () => {
    expect(told(nested(VALUE_MAX_DEPTH - 1))).toMatchObject({ ok: true });
    expect(told(nested(VALUE_MAX_DEPTH))).toMatchObject({
      ok: false,
      error: { type: "invalid-output" },
      about: "mail",
    });
  });
});
