/** The problem types that clients compare. */

import { describe, expect, test } from "vitest";
import { problemOf, PROBLEMS, refusalProblem } from "../../sdk/problems.ts";

describe("problems", () => {
  test("have kebab-case types, error statuses and distinct titles", () => {
    const kinds = Object.entries(PROBLEMS);
    for (const [type, { status }] of kinds) {
      expect(type).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
    }
    expect(new Set(kinds.map(([, { title }]) => title)).size).toBe(kinds.length);
  });

  test("are written with their members, which cannot override the standard ones", () => {
    const issues = [{ path: "/amount", message: "too small" }];
    expect(problemOf("invalid-input", "amount is too small", { issues, status: 200, type: "x" })).toStrictEqual({
      type: "/problems/invalid-input",
      title: PROBLEMS["invalid-input"].title,
      status: 422,
      detail: "amount is too small",
      issues,
    });
    expect(problemOf("overloaded")).not.toHaveProperty("detail");
  });

  test("of refusals name service and refusal, and always have data", () => {
    expect(refusalProblem("account", "insufficient-funds", { balance: 1 })).toStrictEqual({
      type: "/problems/account/insufficient-funds",
      title: "insufficient funds",
      status: 409,
      data: { balance: 1 },
    });
    expect(refusalProblem("account", "frozen", undefined)["data"]).toBeNull();
  });
});
