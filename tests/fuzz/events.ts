/** Fuzzing of what event bodies are made to: frames of some of the columns, and with repeated texts, byte for byte as the twin's, wherever they are cut; and split. */
import { parseEvents } from "../../core-wasm/facade/events.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import type { EventColumn, EventFormat, Kernels, ParsedEvents, ParseOptions } from "../../core-wasm/types.ts";
import { FORMATS, randomBodyIn, randomColumns } from "../core-wasm/support/events.ts";
import { mutate, type Random } from "../core-wasm/support/random.ts";
import { utf8 } from "../core-wasm/support/subjects.ts";
import { differ, type Target, without, withoutBytes } from "./target.ts";

interface Case {
  readonly columns: readonly EventColumn[];
  readonly format: EventFormat;
  /** Of each event, where they are lines; otherwise one body. */
  readonly lines: readonly Uint8Array[];
  readonly options: ParseOptions;
  readonly slices: readonly number[];
  readonly groups: Uint16Array;
}

const twin = createReferenceKernels();
const STRIPE = 32;
/** Beyond the first texts of a column, by which it is decided whether they repeat. */
const MANY = 1_100;
const SAMPLED = 1_024;
const ALPHABET = utf8('{}[]",:\\eE+.-0123456789 \t\r\nutrfalsn\u0080\u00e9');

function bodyOf({ lines }: Case): Uint8Array {
  return Uint8Array.from(lines.flatMap((line, at) => (at === 0 ? [...line] : [0x0a, ...line])));
}

const TEXTS: readonly EventColumn[] = [
  { name: "t", type: "text" },
  { name: "n", type: "i64", optional: true },
];

/** Texts of which nearly all differ: of the first 1,024 about as many as it takes for the others not to be looked for. */
function manyEvents(random: Random): Uint8Array[] {
  const same = new Set<number>();
  for (const wanted = random.pick([0, 14, 15, 16, 17, 300]); same.size < wanted;) same.add(1 + random.int(SAMPLED - 1));
  return Array.from({ length: MANY + random.int(200) }, (_, n) => {
    const text = same.has(n) || (n >= SAMPLED && random.int(3) === 0) ? "" : `${"é".repeat(n % 40)}${n}`;
    return utf8(`{"t":"${n === 0 ? "" : text}"${random.int(2) === 0 ? "" : `,"n":${random.int(50)}`}}`);
  });
}

/** The parts of a frame, by each column that can be a key. */
function split(kernels: Kernels, parsed: ParsedEvents, { columns, options, groups }: Case): unknown {
  if (!parsed.ok) return null;
  const kept = columns.filter(({ name }) => options.only?.includes(name) ?? true);
  return kept.map(({ type }, key) => (type === "f64" ? null : kernels.splitEvents(parsed.frame, kept, key, groups)));
}

export const events: Target<Case> = {
  make(random) {
    const many = random.int(40) === 0;
    const columns = many ? TEXTS : randomColumns(random, 5);
    const only = random.int(2) === 0 ? undefined : columns.filter(() => random.int(2) === 0).map(({ name }) => name);
    const format = many ? "ndjson" : random.pick(FORMATS);
    const body = utf8(randomBodyIn(format, columns, random.int(6), random));
    const other = random.int(3) === 0 ? mutate(body, 2, random, ALPHABET) : body;
    return {
      columns,
      format,
      lines: many ? manyEvents(random) : [other],
      options: { only, repeats: many || random.int(2) === 0 },
      slices: many ? [4_096] : Array.from({ length: 4 }, () => STRIPE * (1 + random.int(8))),
      groups: Uint16Array.from({ length: 16 }, () => random.int(4)),
    };
  },
  check({ core, kernels }, item) {
    const { columns, format, options, slices } = item;
    const body = bodyOf(item);
    const expected = twin.parseEvents(body, columns, format, options);
    const found = kernels.parseEvents(body, columns, format, options);
    const wrong = differ(found, expected) ?? differ(split(kernels, found, item), split(twin, expected, item));
    if (wrong !== null) return wrong;
    for (const slice of slices) {
      const apart = differ(parseEvents(core, body, columns, format, { ...options, slice }), expected);
      if (apart !== null) return `in slices of ${slice}: ${apart}`;
    }
    return null;
  },
  *smaller(item) {
    for (const lines of without(item.lines)) if (lines.length > 0) yield { ...item, lines };
    if (item.slices.length > 0) for (const slices of without(item.slices)) yield { ...item, slices };
    if (item.options.only !== undefined) yield { ...item, options: { ...item.options, only: undefined } };
    if (item.lines.length === 1)
      for (const line of withoutBytes(item.lines[0] as Uint8Array)) yield { ...item, lines: [line] };
  },
  show: (item) =>
    JSON.stringify({
      columns: item.columns,
      format: item.format,
      options: item.options,
      slices: item.slices,
      groups: [...item.groups],
      body: Buffer.from(bodyOf(item)).toString("latin1"),
    }) + " (body as Latin-1)",
};
