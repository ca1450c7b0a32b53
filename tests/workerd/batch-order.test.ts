/** The order of a batch's lines: those with one key run one after the other, whatever services they call. */
import { expect, test } from "vitest";
import type { Place, Step } from "../../sim/program.ts";
import { batch, freshKey, look } from "./support/app.ts";

const line = ([service, key]: Place, steps: readonly Step[]): object => ({
  service,
  key,
  function: "run",
  input: { steps },
});

test("a line that reaches a service late is not overtaken there by the next line with its key", async () => {
  const key = freshKey();
  const late = (id: string): object =>
    line(["pa", key], [{ op: "pause" }, { op: "call", at: ["pb", key], steps: [{ op: "append", id }] }]);
  const direct = (id: string): object => line(["pb", key], [{ op: "append", id }]);
  const results = await batch([late("1"), direct("2"), late("3"), late("4"), direct("5")]);
  expect(results.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(await look(["pb", key])).toMatchObject({ ids: ["1", "2", "3", "4", "5"] });
});

test("a line is run although the one before it fails or is refused", async () => {
  const key = freshKey();
  const failing = (op: "throw" | "refuse"): object => line(["pa", key], [{ op: "pause" }, { op }]);
  const results = await batch([failing("throw"), failing("refuse"), line(["pb", key], [{ op: "append", id: "x" }])], {
    ordered: true,
  });
  expect(results.map(({ status }) => status)).toEqual([500, 409, 200]);
  expect(await look(["pb", key])).toMatchObject({ ids: ["x"] });
});

test("a repeated batch that finds its lines running keeps their order", async () => {
  const key = freshKey();
  const lines = [
    line(
      ["pa", key],
      [
        { op: "pause", ms: 30 },
        { op: "call", at: ["pb", key], steps: [{ op: "append", id: "1" }] },
      ],
    ),
    line(["pb", key], [{ op: "append", id: "2" }]),
  ];
  const [first, second] = await Promise.all([
    batch(lines, { idempotencyKey: "order", ordered: true }),
    batch(lines, { idempotencyKey: "order", ordered: true }),
  ]);
  expect(second.map(({ status, result }) => [status, result])).toEqual(
    first.map(({ status, result }) => [status, result]),
  );
  expect(await look(["pb", key])).toMatchObject({ ids: ["1", "2"] });
});
