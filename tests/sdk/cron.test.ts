import { describe, expect, it } from "vitest";
import { nextTime, parseCron, storedCron } from "../../sdk/cron.ts";

const next = (text: string, after: string): string | null => {
  const time = nextTime(parseCron(text), Date.parse(after));
  return time === null ? null : new Date(time).toISOString().replace(":00.000Z", "Z");
};

describe("the next time of a cron text", () => {
  it.each([
    ["* * * * *", "2026-11-26T01:02:03Z", "2026-11-26T01:03Z"],
    ["* * * * *", "2026-11-26T01:02:00Z", "2026-11-26T01:03Z"],
    ["0 3 * * *", "2026-11-26T02:59:59Z", "2026-11-26T03:00Z"],
    ["0 3 * * *", "2026-11-26T03:00:00Z", "2026-11-27T03:00Z"],
    ["*/15 * * * *", "2026-11-26T03:46:00Z", "2026-11-26T04:00Z"],
    ["7/20 * * * *", "2026-11-26T03:28:00Z", "2026-11-26T03:47Z"],
    ["0,30 9-17/4 * * mon-fri", "2026-11-27T17:30:00Z", "2026-11-30T09:00Z"],
    ["0 0 1 jan *", "2026-11-26T00:00:00Z", "2027-01-01T00:00Z"],
    ["0 0 31 * *", "2026-11-26T00:00:00Z", "2026-12-31T00:00Z"],
    ["0 0 29 2 *", "2026-11-26T00:00:00Z", "2028-02-29T00:00Z"],
    ["0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00Z"],
    ["59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59Z"],
    // Both days restricted: either is enough.
    ["0 12 13 * 5", "2026-11-26T00:00:00Z", "2026-11-27T12:00Z"],
    ["0 12 28 * 1", "2026-11-26T00:00:00Z", "2026-11-28T12:00Z"],
    // A step on all is no restriction, as with the usual cron.
    ["0 12 */2 * 1", "2026-11-26T00:00:00Z", "2026-12-07T12:00Z"],
    ["0 0 * * 7", "2026-11-26T00:00:00Z", "2026-11-29T00:00Z"],
    ["0 0 * * SUN", "2026-11-26T00:00:00Z", "2026-11-29T00:00Z"],
    ["@hourly", "2026-11-26T01:02:03Z", "2026-11-26T02:00Z"],
    ["@daily", "2026-11-26T01:02:03Z", "2026-11-27T00:00Z"],
    ["@weekly", "2026-11-26T01:02:03Z", "2026-11-29T00:00Z"],
    ["@monthly", "2026-11-26T01:02:03Z", "2026-12-01T00:00Z"],
    ["@yearly", "2026-11-26T01:02:03Z", "2027-01-01T00:00Z"],
  ])("%s after %s is %s", (text, after, expected) => {
    expect(next(text, after)).toBe(expected);
  });

  it.each([
    "",
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * 32 * *",
    "* * * 13 *",
    "* * * * 8",
    "5-1 * * * *",
    "*/0 * * * *",
    "1.5 * * * *",
    "a * * * *",
    "* * * foo *",
    "1- * * * *",
    "-1 * * * *",
    "1-5-9 * * * *",
    "constructor",
    "__proto__",
    "1,,2 * * * *",
    "@never",
    "0 0 31 2 *",
    "0 0 30 feb *",
  ])("is not to be had of %j", (text) => {
    expect(() => parseCron(text)).toThrow(expect.objectContaining({ type: "misconfigured" }));
  });

  it("is had of a stored text as earlier code took it", () => {
    expect(storedCron("1-5-9 * * * *")).toEqual(parseCron("1-5 * * * *"));
  });
});
