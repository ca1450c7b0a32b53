/** Columns that are checked and not kept: the frame is that of the others, and what is refused is the same. */
import { expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { parseEvents } from "../../core-wasm/facade/events.ts";
import { CoreInstance } from "../../core-wasm/facade/instance.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import type { EventColumn, ParsedEvents } from "../../core-wasm/types.ts";
import { FORMATS, randomBodyIn, randomColumns } from "./support/events.ts";
import { type Random, random as seeded } from "./support/random.ts";

const module = loadCore();
const wasm = createKernels(module);
const twin = createReferenceKernels();
const encoder = new TextEncoder();

const some = (columns: readonly EventColumn[], random: Random): string[] =>
  columns.filter(() => random.int(2) === 0).map(({ name }) => name);
const frameOf = (parsed: ParsedEvents) => (parsed.ok ? parsed.frame : parsed.fault);

test("frames with some of the columns: the kernel as its twin, at every way to cut the body", () => {
  const random = seeded(20261);
  const core = new CoreInstance(module);
  for (let i = 0; i < 600; i++) {
    const columns = randomColumns(random, 8);
    const format = random.pick(FORMATS);
    const only = some(columns, random);
    const body = encoder.encode(randomBodyIn(format, columns, random.int(random.int(8) === 0 ? 120 : 8), random));
    const expected = twin.parseEvents(body, columns, format, { only });
    expect(wasm.parseEvents(body, columns, format, { only }), `body ${i}`).toEqual(expected);
    const slice = 32 * (1 + random.int(8));
    expect(parseEvents(core, body, columns, format, { only, slice }), `body ${i} in slices`).toEqual(expected);
  }
  expect(core.heapBytes).toBeLessThan(10_000_000);
});

test("what is refused does not depend on which columns are kept", () => {
  const random = seeded(20262);
  for (let i = 0; i < 1_500; i++) {
    const columns = randomColumns(random, 6);
    const format = random.pick(FORMATS);
    const body = encoder.encode(randomBodyIn(format, columns, 1 + random.int(4), random));
    const mutant = body.slice();
    for (let flips = random.int(3); flips >= 0 && mutant.length > 0; flips--) {
      mutant[random.int(mutant.length)] = random.pick([0x22, 0x2c, 0x7d, 0x30, 0x6e, 0x5c, 0x75, 0x64, 0x31, 0xff]);
    }
    const whole = wasm.parseEvents(mutant, columns, format);
    const part = wasm.parseEvents(mutant, columns, format, { only: some(columns, random) });
    expect(part.ok).toBe(whole.ok);
    if (!whole.ok) expect(part).toEqual(whole);
    if (whole.ok && part.ok) expect([part.rows, part.fingerprint]).toEqual([whole.rows, whole.fingerprint]);
  }
});

test("a lone surrogate in a text that is not kept is refused", () => {
  const columns = [
    { name: "a", type: "text" },
    { name: "n", type: "i64" },
  ] as const;
  const body = encoder.encode('{"a":"ok\\u00e9","n":1}\n{"a":"\\ud800","n":2}');
  for (const kernels of [wasm, twin]) {
    const parsed = kernels.parseEvents(body, columns, "ndjson", { only: ["n"] });
    expect(frameOf(parsed)).toMatchObject({ code: "bad-surrogate", field: "a", line: 2 });
  }
});

test("one declaration serves several lists of columns to keep", () => {
  const columns = [
    { name: "a", type: "i64" },
    { name: "b", type: "i64" },
  ] as const;
  const body = encoder.encode('{"a":1,"b":2}');
  const [a, b] = [["a"], ["b"]];
  for (const only of [a, b, undefined, a, [], b]) {
    expect(wasm.parseEvents(body, columns, "ndjson", { only })).toEqual(
      twin.parseEvents(body, columns, "ndjson", { only }),
    );
  }
  const others = [{ name: "a", type: "text" }] as const;
  expect(wasm.parseEvents(encoder.encode('{"a":"x"}'), others, "ndjson", { only: a })).toMatchObject({ ok: true });
});
