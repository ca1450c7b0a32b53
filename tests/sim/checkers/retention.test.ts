import { expect, test } from "vitest";
import { checkRetention } from "../../../sim/checkers/retention.ts";

test("results may be kept for a while after they have expired, and not longer", () => {
  const kept = (expires: number) => ({ partition: "P0", expires, rows: 3 });
  expect(checkRetention([kept(2_000), kept(950), kept(900)], 1_000, 100)).toEqual([]);
  expect(checkRetention([kept(899), kept(2_000)], 1_000, 100).map(({ anomaly }) => anomaly)).toEqual(["results-kept"]);
});
