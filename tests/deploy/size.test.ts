/** What a deploy uploads: that it can be made, and how large it is. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { bundle, type Bundle } from "../../scripts/lib/bundle.ts";

const KiB = 1024;
/** Gzipped, as the platform counts. */
const LIMITS = { bundle: 300 * KiB, wasm: 64 * KiB };
const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

function gzipped({ modules }: Bundle, type?: string): number {
  return modules
    .filter((module) => type === undefined || module.type === type)
    .reduce((sum, { contents }) => sum + gzipSync(contents).length, 0);
}

/** What people deploy is held to the limit. The tests' app has services of its own by the dozen, a fortieth of its bundle: only that it can be made. */
describe.each([
  ["the shop", join(root, "wrangler.jsonc"), LIMITS.bundle],
  ["the auction", join(root, "examples/auction/wrangler.jsonc"), LIMITS.bundle],
  ["the tests' app", join(root, "tests/app/wrangler.jsonc"), Infinity],
])("%s", (name, config, limit) => {
  test("bundles as a deploy would, within the limits of size", async () => {
    // The tests' own configuration does not minify, since some tests change the bundle's text.
    const made = await bundle(config, ["--minify"]);
    const [whole, wasm] = [gzipped(made), gzipped(made, "CompiledWasm")];
    console.log(`${name}: ${(whole / KiB).toFixed(1)} KiB gzipped, of which Wasm ${(wasm / KiB).toFixed(1)} KiB`);
    expect(wasm).toBeGreaterThan(0);
    expect(wasm).toBeLessThan(LIMITS.wasm);
    expect(whole).toBeLessThan(limit);
    // Planted bugs would have to come by the simulator's files, which the bundle names.
    const text = made.modules.map(({ contents }) => contents.toString("latin1")).join("");
    expect(text).not.toContain("planted");
  });
});
