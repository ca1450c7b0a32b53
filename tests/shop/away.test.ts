/** What the demo says while the server is away. */

import { expect, test } from "vitest";
import { Away } from "../../examples/shop/demo/away.ts";

test("says once that the server is away and once that it is back, and nothing of a connection that breaks now and then", () => {
  const said: string[] = [];
  const away = new Away((text) => said.push(text));
  away.failed(0, "ECONNRESET");
  away.answered(50);
  away.failed(1_000, "ECONNRESET");
  away.failed(1_200, "ECONNREFUSED");
  expect(said).toEqual([]);
  away.failed(1_400, "ECONNREFUSED");
  away.failed(2_000, "ECONNREFUSED");
  away.answered(3_500);
  away.answered(3_600);
  expect(said).toEqual(["server away (ECONNREFUSED), retrying", "server back after 2.5 s"]);
});
