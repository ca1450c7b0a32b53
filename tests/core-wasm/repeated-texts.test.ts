/** Frames in whose dictionaries a text may be several times: made as by the twin, and read like any other. */
import { describe, expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { parseEvents } from "../../core-wasm/facade/events.ts";
import { CoreInstance } from "../../core-wasm/facade/instance.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { decodeColumns } from "../../core-wasm/reference/columns.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import type { EventColumn, Kernels, ParsedEvents, WindowPlan } from "../../core-wasm/types.ts";
import { type Random, random as seeded } from "./support/random.ts";

const module = loadCore();
const wasm = createKernels(module);
const twin = createReferenceKernels();
const COLUMNS: readonly EventColumn[] = [
  { name: "url", type: "text" },
  { name: "n", type: "i64" },
  { name: "word", type: "text", optional: true },
];

/** Events whose urls differ but for one in so many, which has one of a few. */
function body(events: number, oneIn: number, random: Random): Uint8Array {
  const lines = Array.from({ length: events }, (_, n) => {
    const url = random.int(oneIn) === 0 ? `same-${random.int(3)}` : `${"é".repeat(n % 40)}-${n}`;
    const word = random.int(3) === 0 ? "" : `,"word":"w\\u00e9${random.int(5000)}"`;
    return `{"url":"${url}","n":${n % 50}${word}}`;
  });
  return new TextEncoder().encode(lines.join("\n"));
}

function sound(parsed: ParsedEvents): Extract<ParsedEvents, { ok: true }> {
  if (!parsed.ok) throw new Error(parsed.fault.code);
  return parsed;
}
const repeated = (kernels: Kernels, bytes: Uint8Array) =>
  sound(kernels.parseEvents(bytes, COLUMNS, "ndjson", { repeats: true }));

describe("a frame with repeats", () => {
  test.each([0, 1, 1_000, 1_023, 1_024, 1_025, 3_000])(
    "of %i events is the twin's, however the body is cut",
    (events) => {
      const random = seeded(events);
      for (const oneIn of [2, 50, 100, 1_000_000]) {
        const bytes = body(events, oneIn, random);
        const expected = repeated(twin, bytes);
        expect(repeated(wasm, bytes)).toEqual(expected);
        const core = new CoreInstance(module);
        expect(parseEvents(core, bytes, COLUMNS, "ndjson", { repeats: true, slice: 4_096 })).toEqual(expected);
        const cells = (frame: Uint8Array) => decodeColumns(frame).columns.map((column) => column.cells);
        expect(cells(expected.frame)).toEqual(cells(sound(twin.parseEvents(bytes, COLUMNS)).frame));
      }
    },
  );

  test("has some only where nearly all of the first texts differ", () => {
    const repeatsOf = (oneIn: number) => decodeColumns(repeated(wasm, body(3_000, oneIn, seeded(7))).frame).repeats;
    expect(repeatsOf(1_000)).toBe(true);
    expect(repeatsOf(2)).toBe(false);
    expect(decodeColumns(sound(wasm.parseEvents(body(3_000, 1_000, seeded(7)), COLUMNS)).frame).repeats).toBe(false);
  });

  test("is split as the twin splits it", () => {
    const { frame } = repeated(wasm, body(2_500, 90, seeded(3)));
    const groups = Uint16Array.from({ length: 16 }, (_, group) => group % 5);
    for (const key of [0, 1, 2])
      expect(wasm.splitEvents(frame, COLUMNS, key, groups)).toEqual(twin.splitEvents(frame, COLUMNS, key, groups));
  });

  test.each(["eq", "ne"] as const)("is filtered by %s and grouped as one without", (op) => {
    const columns = COLUMNS.slice(0, 2);
    const bytes = body(2_503, 90, seeded(5));
    for (const key of [0, 1]) {
      const filter = [{ column: 0, op, value: "same-1" }] as const;
      const plan: WindowPlan = { columns, filter, key, time: 1, size: 10, measures: [1], maxGroups: 10_000 };
      const groups = (kernels: Kernels, repeats: boolean) => {
        const state = kernels.openWindow(plan);
        const outcome = state.apply(sound(kernels.parseEvents(bytes, columns, "ndjson", { repeats })).frame, -1n);
        return { outcome, groups: kernels.readGroups(state.snapshot()) };
      };
      const expected = groups(twin, false);
      expect(expected.outcome.applied).toBeGreaterThan(op === "eq" ? 3 : 2_000);
      expect(groups(twin, true)).toEqual(expected);
      expect(groups(wasm, true)).toEqual(expected);
    }
  });
});
