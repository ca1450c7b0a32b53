/** Planted bugs are changes that the simulator makes as it loads the engine: what is deployed knows nothing of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const DEPLOYED = ["sdk", "core-wasm", "dataflow", "protocol", "durable", "worker", "examples"];

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(root, folder, name));
}

test("no file that is deployed imports the simulator or names planted bugs", () => {
  const files = [join(root, "index.ts"), ...DEPLOYED.flatMap(sources)];
  expect(files.length).toBeGreaterThan(150);
  const traces = files.filter((file) => /["'](\.\.?\/)+sim\/|planted/.test(readFileSync(file, "utf8")));
  expect(traces.map((file) => relative(root, file))).toEqual([]);
});
