/** The simulator finds every mistake that is planted in the engine. `npm run sim -- --bugs` counts the seeds that it needs, from 1. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it, test } from "vitest";
import { BUGS } from "../../sim/planted/bugs.ts";
import { UNFOUND } from "../../sim/planted/bugs/unfound.ts";
import { KNOWN } from "../../sim/planted/known.ts";
import { patched } from "../../sim/planted/patches.ts";
import { patchesOf } from "../../sim/planted/planted.ts";
import { rowOf } from "../../sim/planted/table.ts";
import { hunt } from "../../sim/planted/try-bugs.ts";

const root = join(import.meta.dirname, "../..");
const SEEDS = 500;
const SETTINGS = { transactions: 200, sends: true, local: false };
/** Most are found at the first seed that is tried; this is for one that the protocol's changes have moved. */
const PATIENCE_MS = 240_000;

test("there are many, each with a name of its own", () => {
  expect(BUGS.length).toBeGreaterThanOrEqual(25);
  expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length);
  expect(Object.keys(KNOWN).toSorted()).toEqual(BUGS.map(({ name }) => name).toSorted());
});

test("docs/testing.md has the table", () => {
  const docs = readFileSync(join(root, "docs/testing.md"), "utf8");
  for (const bug of BUGS) expect(docs).toContain(rowOf(bug, KNOWN[bug.name] ?? null));
});

describe("what each looks for stands in its file exactly once", () => {
  it.each([...BUGS, ...UNFOUND].map((bug) => [bug.name, bug] as const))("%s", (_, bug) => {
    const texts = new Map<string, string>();
    for (const patch of patchesOf(bug)) {
      const before = texts.get(patch.file) ?? readFileSync(join(root, patch.file), "utf8");
      const after = patched(before, patch);
      expect(after).not.toBe(before);
      texts.set(patch.file, after);
    }
  });
});

describe(`each is found within ${SEEDS} seeds`, () => {
  const moved: string[] = [];
  afterAll(() => {
    if (moved.length > 0) console.log(`found at other seeds than sim/planted/known.ts says: ${moved.join(", ")}`);
  });

  // Each has a thread of its own: where other files are done before this one, no core is idle.
  it.concurrent.each(BUGS.map(({ name }) => name))(
    "%s",
    async (bug) => {
      const hint = KNOWN[bug]?.seed;
      const how = { from: 1, seeds: SEEDS, jobs: 1, ...(hint === undefined ? {} : { hint }) };
      const found = await hunt({ ...SETTINGS, bug }, how);
      if (found && found.seed !== hint) moved.push(`${bug} ${found.seed}`);
      expect(found).not.toBeNull();
    },
    PATIENCE_MS,
  );
});
