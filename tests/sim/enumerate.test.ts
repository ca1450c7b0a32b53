/** Every crash point of every small scenario, alone and in pairs spread over all. `npm run sim -- --enumerate --pairs all` runs them all. */
import { expect, test } from "vitest";
import { enumerate, showExplored } from "../../sim/enumerate.ts";
import { SCENARIO_NAMES } from "../../sim/enumerate/scenarios.ts";

const SETTINGS = { transactions: 0, sends: false, local: false, bug: null };

test("a crash at any point of a scenario, or at two, leaves nothing wrong", async () => {
  const explored = await enumerate(SETTINGS, { jobs: 1, pairs: 50, every: false });
  console.log(showExplored(explored));
  expect(explored.map(({ name }) => name)).toEqual(SCENARIO_NAMES);
  expect(explored.flatMap(({ failures }) => failures)).toEqual([]);
  for (const { name, boundaries, classes } of explored) {
    expect(boundaries, name).toBeGreaterThan(50);
    expect(classes, name).toBeGreaterThan(30);
  }
}, 240_000);
