/** What was thrown, as the log and who keeps a message tell it: it may throw itself when it is looked at. */
import { expect, test } from "vitest";
import { logEntry } from "../../protocol/observe/log-entry.ts";
import { errorText } from "../../protocol/outbox/ending.ts";

const silent: unknown = Object.create(null);
const locked = Object.defineProperty(new Error("disk full"), "cause", {
  get: () => {
    throw new Error("locked");
  },
});

test.each([
  ["cannot be a text", new Error("disk full", { cause: silent })],
  ["cannot be read", locked],
])("an error whose cause %s is shown all the same", (_, error) => {
  expect(logEntry("f failed", { error })).toEqual({
    message: "f failed",
    error: { name: "Error", message: "disk full", stack: error.stack, cause: "(an error that cannot be shown)" },
  });
  expect(errorText(error)).toBe("Error: disk full (an error that cannot be shown)");
});

test("so is one whose cause has such a cause", () => {
  const error = new Error("not saved", { cause: locked });
  expect(logEntry("f failed", { error }).error).toMatchObject({
    message: "not saved",
    cause: { message: "disk full", cause: "(an error that cannot be shown)" },
  });
});

test.each([
  [silent, "(an error that cannot be shown)", "an error that cannot be shown"],
  [null, "null", "null"],
  ["gone", "gone", "gone"],
])("what is no error is a text: %#", (thrown, logged, text) => {
  expect(logEntry("f failed", { error: thrown })).toEqual({ message: "f failed", error: logged });
  expect(errorText(thrown)).toBe(text);
});

test("an error without a cause has none, and where there is no error there is none", () => {
  expect(logEntry("f failed", { error: new Error("disk full") }).error).not.toHaveProperty("cause");
  expect(errorText(new Error("disk full"))).toBe("Error: disk full");
  expect(logEntry("started", { partition: 3 })).toEqual({ message: "started", partition: 3 });
});
