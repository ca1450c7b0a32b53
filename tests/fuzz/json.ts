/** Fuzzing of event parsing: generated and mutated bodies in every format, held against JSON.parse, cut anywhere. */
import { parseEvents } from "../../core-wasm/facade/events.ts";
import { CoreInstance } from "../../core-wasm/facade/instance.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { EVENT_SLICE_BYTES, MAX_EVENT_BODY_BYTES } from "../../core-wasm/limits.ts";
import { decodeColumns } from "../../core-wasm/reference/columns.ts";
import type { EventColumn, EventFormat, ParsedEvents } from "../../core-wasm/types.ts";
import { judged } from "../core-wasm/support/agree.ts";
import { FORMATS, randomBodyIn, randomColumns } from "../core-wasm/support/events.ts";
import { mutate, type Random } from "../core-wasm/support/random.ts";
import { utf8 } from "../core-wasm/support/subjects.ts";

const MUTANTS = 60;
const STRIPE = 32;
const ALPHABET = utf8('{}[]",:\\eE.+-0123456789 \t\r\nutrfalsn\u0080\u00e9');
/** Wasm memory that short documents may ever take, however many there are. */
const MOST_MEMORY = 16 * 1024 * 1024;

export interface JsonFuzz {
  /** One round: a body, its mutants, and every cut of one of them. Returns how many documents it tried. */
  round(random: Random): number;
  /** What would take memory, stack or time: deep nesting, lines and strings of 30 MB, random bytes. Returns how many documents. */
  extremes(random: Random): number;
}

/** A body to try, as it is named when it fails. */
interface Trial {
  readonly body: Uint8Array;
  readonly columns: readonly EventColumn[];
  readonly format: EventFormat;
}

function show({ body, columns, format }: Trial): string {
  const text = JSON.stringify(new TextDecoder("latin1").decode(body.subarray(0, 2_000)));
  return `${format}, columns ${JSON.stringify(columns)}, bytes as Latin-1 ${text}`;
}

/** Comparable. */
function outcome(parsed: ParsedEvents): string {
  if (!parsed.ok) return JSON.stringify(parsed.fault);
  return `${parsed.rows} ${Buffer.from(parsed.frame).toString("latin1")} ${JSON.stringify(parsed.identity)}`;
}

/** Fuzzing on a fresh instance of the core. */
export function jsonFuzz(): JsonFuzz {
  const core = new CoreInstance(loadCore());
  // An instance never gives memory back: what extremes take must not hide what short documents do.
  const roomy = new CoreInstance(loadCore());
  let settled = 0;

  const check = (trial: Trial): ParsedEvents => {
    const { body, columns, format } = trial;
    const expected = judged(body, columns, format);
    const parsed = parseEvents(core, body, columns, format);
    if (parsed.ok !== (expected !== null)) {
      throw new Error(
        `JSON.parse ${expected ? "accepts" : "refuses"} what is ${outcome(parsed).slice(0, 200)}: ${show(trial)}`,
      );
    }
    if (parsed.ok && expected !== null) {
      for (const [c, { cells }] of decodeColumns(parsed.frame).columns.entries()) {
        const wanted = expected[c] ?? [];
        const same = cells.length === wanted.length && cells.every((cell, row) => Object.is(cell, wanted[row]));
        if (!same) throw new Error(`column ${c} is ${String(cells)} instead of ${String(wanted)}: ${show(trial)}`);
      }
    }
    if (!parsed.ok) checkPlace(trial, parsed.fault);
    return parsed;
  };

  /** With spaces in front the cuts between slices fall on every byte of the body. */
  const checkCuts = ({ body, columns, format }: Trial): number => {
    for (let shift = 0; shift < STRIPE; shift++) {
      const shifted = new Uint8Array(shift + body.length).fill(0x20, 0, shift);
      shifted.set(body, shift);
      const whole = outcome(parseEvents(core, shifted, columns, format, { slice: EVENT_SLICE_BYTES }));
      const cut = outcome(parseEvents(core, shifted, columns, format, { slice: STRIPE }));
      if (cut !== whole)
        throw new Error(`cut, it is ${cut}, whole ${whole}: ${show({ body: shifted, columns, format })}`);
    }
    return 2 * STRIPE;
  };

  return {
    round(random) {
      const columns = randomColumns(random, 5);
      const format = random.pick(FORMATS);
      const body = utf8(randomBodyIn(format, columns, random.int(4), random));
      if (!check({ body, columns, format }).ok)
        throw new Error(`a sound body is refused: ${show({ body, columns, format })}`);
      let mutant = body;
      for (let i = 0; i < MUTANTS; i++) {
        mutant = mutate(random.int(4) === 0 ? mutant : body, 3, random, ALPHABET);
        check({ body: mutant, columns, format });
      }
      const cuts = random.int(20) === 0 ? checkCuts({ body: mutant, columns, format }) : 0;
      checkMemory(core);
      return 1 + MUTANTS + cuts;
    },

    extremes(random) {
      const columns: EventColumn[] = [
        { name: "i", type: "i64" },
        { name: "t", type: "text", optional: true },
      ];
      const trials = extremeBodies(random).flatMap((body) => FORMATS.map((format) => ({ body, columns, format })));
      for (const { body, format } of trials) parseEvents(roomy, body, columns, format);
      settled ||= roomy.memoryBytes;
      for (const { body, format } of trials) parseEvents(roomy, body, columns, format);
      if (roomy.memoryBytes > settled) throw new Error(`memory grew from ${settled} to ${roomy.memoryBytes} bytes`);
      return 2 * trials.length;
    },
  };
}

function checkPlace(trial: Trial, { line, offset }: { readonly line: number; readonly offset: number }): void {
  const { body } = trial;
  let lines = 1;
  for (let at = 0; at < offset; at++) if (body[at] === 0x0a) lines++;
  if (offset > body.length || lines !== line)
    throw new Error(`a fault at line ${line}, byte ${offset}: ${show(trial)}`);
}

function checkMemory(core: CoreInstance): void {
  if (core.memoryBytes > MOST_MEMORY) throw new Error(`short documents have taken ${core.memoryBytes} bytes of memory`);
}

function extremeBodies(random: Random): Uint8Array[] {
  const large = MAX_EVENT_BODY_BYTES - 2 * 1024 * 1024;
  const long = (filling: number, before: string, behind: string): Uint8Array => {
    const body = new Uint8Array(large).fill(filling);
    body.set(utf8(before), 0);
    body.set(utf8(behind), large - utf8(behind).length);
    return body;
  };
  return [
    long(0x5b, '{"i":1,"x":', "}"),
    long(0x5d, '{"i":1,"x":[', "}"),
    long(0x7b, "", ""),
    long(0x61, '{"i":1,"t":"', '"}'),
    long(0x5c, '{"i":1,"t":"', '"}'),
    long(0x22, '{"i":1,"t":"', '"}'),
    long(0x20, '{"i":1', "}"),
    long(0x30, '{"i":1', "}"),
    long(0x39, '{"i":0.', "}"),
    long(0xc3, '{"i":1,"t":"', '"}'),
    random.bytes(1024 * 1024),
  ];
}
