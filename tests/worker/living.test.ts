/** Which rows an export shows of state that expires. */
import { expect, test } from "vitest";
import { expiryRow } from "../../protocol/state/expiry.ts";
import { entityKey } from "../../protocol/state/state-key.ts";
import { Living, type Row } from "../../worker/admin/living.ts";

const [gone, here] = [entityKey("session", "a"), entityKey("session", "b")];
const ROWS: readonly Row[] = [
  [gone, "1"],
  [expiryRow(gone), "100"],
  [here, "2"],
  [expiryRow(here), "300"],
];

function shown(now: number): string[] {
  const living = new Living(now);
  return [...ROWS.flatMap((row) => living.add(row)), ...living.end()].map(([, text]) => text);
}

test("what has expired by then is not shown, nor when anything does", () => {
  expect(shown(99)).toEqual(["1", "2"]);
  expect(shown(200)).toEqual(["2"]);
});

test("where nothing expires any more, all is shown, whatever was said before", () => {
  expect(shown(-Infinity)).toEqual(["1", "2"]);
});
