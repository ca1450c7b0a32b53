/** What is read from `.dev.vars`: as much as wrangler reads there. */
import { expect, test } from "vitest";
import { varsIn } from "../../cli/dev-vars.ts";

test.each([
  ["TIDEGATE_TOKEN=dev", "dev"],
  ["TIDEGATE_TOKEN = dev \r\n", "dev"],
  ["TIDEGATE_TOKEN=dev # for local work", "dev"],
  ["# TIDEGATE_TOKEN=old\nTIDEGATE_TOKEN=dev", "dev"],
  ["TIDEGATE_TOKEN=old\nTIDEGATE_TOKEN=dev", "dev"],
  ["export TIDEGATE_TOKEN=dev", "dev"],
  ['TIDEGATE_TOKEN="a # b=c"  # quoted', "a # b=c"],
  ["TIDEGATE_TOKEN='a \"b\"'", 'a "b"'],
  ["TIDEGATE_TOKEN=", ""],
  ["OTHER=dev", undefined],
  ["", undefined],
])("%j", (text, token) => {
  expect(varsIn(text)["TIDEGATE_TOKEN"]).toBe(token);
});
