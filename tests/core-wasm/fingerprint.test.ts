/** A body's fingerprint is the hash of its bytes as they came, though it is taken while they are read and escapes are resolved in place. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseEvents } from "../../core-wasm/facade/events.ts";
import { CoreInstance } from "../../core-wasm/facade/instance.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { xxh64 } from "../../core-wasm/reference/xxh64.ts";
import type { EventFormat } from "../../core-wasm/types.ts";

const core = new CoreInstance(loadCore());
const COLUMNS = [
  { name: "a", type: "text" },
  { name: "n", type: "i64" },
] as const;

const value = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.constantFrom('"'.repeat(40), "\\n".repeat(30), "é😀\u0001", "x".repeat(300)),
);
const events = fc.array(fc.record({ a: value, n: fc.integer(), other: value }), { minLength: 1, maxLength: 30 });

test.each<EventFormat>(["ndjson", "json"])("in format %s, whatever the slices", (format) => {
  fc.assert(
    fc.property(events, fc.constantFrom(32, 96, 256, 1_024, 1 << 18), (given, slice) => {
      const lines = given.map((event) => JSON.stringify(event));
      const body = new TextEncoder().encode(format === "json" ? `[${lines.join(",\n")}]` : lines.join("\n"));
      const parsed = parseEvents(core, body, COLUMNS, format, { slice });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.fault));
      const [low, high] = parsed.fingerprint;
      expect((BigInt(high) << 32n) | BigInt(low)).toBe(xxh64(body));
    }),
    { numRuns: 300 },
  );
});
