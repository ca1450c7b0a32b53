/** Event parsing against its twin and against JSON.parse, on random and on mutated bodies, and over every cut into slices. */
import { expect, it } from "vitest";
import { parseEvents } from "../../core-wasm/facade/events.ts";
import { CoreInstance } from "../../core-wasm/facade/instance.ts";
import { MAX_KEPT_EVENT_BUFFER } from "../../core-wasm/limits.ts";
import type { EventColumn, EventFormat, ParsedEvents } from "../../core-wasm/types.ts";
import { FORMATS, randomBodyIn, randomColumns, randomEvent } from "./support/events.ts";
import { mutate, random } from "./support/random.ts";
import { core as module, twin, utf8, wasm } from "./support/subjects.ts";

const SOUND_BODIES = 1_500;
const MUTATED_AGAINST_TWIN = 25_000;
const MUTATED_AGAINST_PARSE = 200_000;
const ALPHABET = utf8('{}[]",:\\eE.+-0123456789 \t\r\nutrfalsn\u0080\u00e9');

/** Comparable, and readable when it differs. */
function outcome(parsed: ParsedEvents): unknown {
  return parsed.ok ? { ...parsed, frame: Buffer.from(parsed.frame).toString("hex") } : parsed;
}

it(`gives the twin's frame, byte for byte, for ${SOUND_BODIES} random bodies`, () => {
  const source = random(1);
  for (let i = 0; i < SOUND_BODIES; i++) {
    const columns = randomColumns(source, 6);
    const format = source.pick(FORMATS);
    const body = utf8(randomBodyIn(format, columns, source.int(8), source));
    const expected = twin.parseEvents(body, columns, format);
    expect(expected, new TextDecoder().decode(body)).toMatchObject({ ok: true });
    expect(outcome(wasm.parseEvents(body, columns, format)), `body ${i}`).toEqual(outcome(expected));
  }
});

it(`gives the twin's result or fault for ${MUTATED_AGAINST_TWIN} mutated bodies`, () => {
  const source = random(2);
  let refused = 0;
  let columns: EventColumn[] = [];
  let format: EventFormat = "ndjson";
  let body = new Uint8Array();
  for (let i = 0; i < MUTATED_AGAINST_TWIN; i++) {
    if (i % 20 === 0) {
      columns = randomColumns(source, 4);
      format = source.pick(FORMATS);
      body = utf8(randomBodyIn(format, columns, 1 + source.int(3), source)) as Uint8Array<ArrayBuffer>;
    }
    const mutant = mutate(body, 3, source, ALPHABET);
    const expected = twin.parseEvents(mutant, columns, format);
    if (!expected.ok) refused++;
    const actual = wasm.parseEvents(mutant, columns, format);
    if (JSON.stringify(outcome(actual)) !== JSON.stringify(outcome(expected))) {
      expect(outcome(actual), `mutant ${i}: ${JSON.stringify(new TextDecoder().decode(mutant))}`).toEqual(
        outcome(expected),
      );
    }
  }
  expect(refused).toBeGreaterThan(MUTATED_AGAINST_TWIN / 4);
  expect(refused).toBeLessThan((MUTATED_AGAINST_TWIN * 9) / 10);
});

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What JSON.parse says of each line: an object, or not. */
function soundLines(bytes: Uint8Array): boolean {
  try {
    for (const line of strict.decode(bytes).split("\n")) {
      if (/^[ \t\r]*$/.test(line)) continue;
      const value: unknown = JSON.parse(line);
      if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    }
    return true;
  } catch {
    return false;
  }
}

it(`accepts what JSON.parse accepts, and nothing else, of ${MUTATED_AGAINST_PARSE} mutated events`, () => {
  const source = random(3);
  const columns: EventColumn[] = [
    { name: "a", type: "i64" },
    { name: "täg", type: "text" },
  ];
  const events = Array.from({ length: 300 }, () => utf8(randomEvent(columns, source)));
  let sound = 0;
  for (let i = 0; i < MUTATED_AGAINST_PARSE; i++) {
    const mutant = mutate(source.pick(events), 2, source, ALPHABET);
    const expected = soundLines(mutant);
    if (expected) sound++;
    // Without declared columns every sound object is an event.
    if (wasm.parseEvents(mutant, []).ok !== expected) {
      expect.fail(
        `mutant ${i}, which ${expected ? "is" : "is not"} sound: ${JSON.stringify(new TextDecoder().decode(mutant))}`,
      );
    }
  }
  expect(sound).toBeGreaterThan(MUTATED_AGAINST_PARSE / 10);
  expect(sound).toBeLessThan((MUTATED_AGAINST_PARSE * 9) / 10);
});

it("gives the same result however the body is cut into slices", () => {
  const source = random(4);
  const core = new CoreInstance(module);
  for (let round = 0; round < 60; round++) {
    const columns = randomColumns(source, 4);
    const format = FORMATS[round % FORMATS.length] as EventFormat;
    let body = utf8(randomBodyIn(format, columns, 1 + source.int(12), source));
    if (round % 3 === 0) body = mutate(body, 1, source, ALPHABET) as typeof body;
    // Slices are multiples of 32; spaces in front shift the cuts over every byte.
    for (let shift = 0; shift < 32; shift++) {
      const shifted = Uint8Array.from([...new Uint8Array(shift).fill(0x20), ...body]);
      const whole = outcome(parseEvents(core, shifted, columns, format, { slice: 1 << 20 }));
      for (const slice of [32, 64, 96, 256]) {
        expect(
          outcome(parseEvents(core, shifted, columns, format, { slice })),
          `round ${round}, ${shift}, ${slice}`,
        ).toEqual(whole);
      }
    }
  }
});

it("never crashes on random bytes", () => {
  const source = random(5);
  const columns = randomColumns(source, 4);
  for (let i = 0; i < 3000; i++) {
    const bytes = source.bytes(source.int(200));
    expect(wasm.parseEvents(bytes, columns).ok).toBe(twin.parseEvents(bytes, columns).ok);
  }
});

it("holds no more memory after 1,000 batches than after the first few, refused ones included", () => {
  const source = random(6);
  const core = new CoreInstance(module);
  const columns = randomColumns(source, 5);
  const large = utf8(`${Array.from({ length: 20_000 }, () => randomEvent(columns, source)).join("\n")}\n`);
  const small = utf8(`${randomEvent(columns, source)}\n`);
  const bad = large.slice(0, -20);
  const longLine = utf8(`${" ".repeat(2 * MAX_KEPT_EVENT_BUFFER)}${randomEvent(columns, source)}`);
  const round = (): void => {
    expect(parseEvents(core, large, columns).ok).toBe(true);
    expect(parseEvents(core, bad, columns).ok).toBe(false);
    expect(parseEvents(core, longLine, columns).ok).toBe(true);
    for (let i = 0; i < 48; i++) expect(parseEvents(core, small, columns).ok).toBe(true);
  };
  round();
  round();
  const { memoryBytes, heapBytes } = core;
  for (let i = 0; i < 20; i++) round();
  expect(core.heapBytes).toBe(heapBytes);
  expect(core.memoryBytes).toBe(memoryBytes);
});
