/** Texts that are still bytes of a frame: every function of them comes to what it comes to over strings. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { nameHash } from "../../core-wasm/reference/columns.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { cellAt, concatColumns } from "../../dataflow/columns/column.ts";
import { compile } from "../../dataflow/columns/expressions.ts";
import { openFrame } from "../../dataflow/columns/frame.ts";
import { Rows, rowsOf } from "../../dataflow/columns/rows.ts";
import { packRows, type PackedRows, unpackRows } from "../../dataflow/columns/wire.ts";
import { nodesOf, str, stream, text, timestamp, when, flow, int64 } from "../../sdk/index.ts";

const Events = stream("events", { t: text(), u: text(), at: timestamp() });
const Out = stream("out", {
  first: text(),
  third: text(),
  behind: text(),
  found: text(),
  group: text(),
  small: text(),
  trimmed: text(),
  piece: text(),
  both: text(),
  nested: text(),
  chosen: text(),
  count: int64(),
  counts: int64(),
  length: int64(),
  number: int64(),
  kind: text(),
});
const flowOf = flow("f")
  .from(Events, { time: "at" })
  .map(({ t, u }) => ({
    first: t.split("/", 0),
    third: t.split("/", 2),
    behind: t.split("é/", 1),
    found: t.match(/ab[^/]*é?/),
    group: t.match(/(?:^|\/)abc=([^/]*)/, 1),
    small: t.lower(),
    trimmed: t.upper().trim(),
    piece: t.substring(1, 4),
    both: t.split("/", 1).concat("-", u),
    nested: t.split("/", 1).split("b", 1).lower(),
    chosen: when(t.eq("abc=é"), str("é"), when(u.ne(""), u.split("/", 1), t.split("/", 1))),
    count: t.occurrences("a"),
    counts: t.split("/", 1).occurrences("aé"),
    length: t.length(),
    number: t.split("/", 1).toInt(),
    kind: when(
      t.contains("abc=").and(u.eq(t).not()),
      str("has"),
      when(t.startsWith("/").or(t.endsWith("é")), str("edge"), when(t.contains(""), str("any"), "none")),
    ),
  }))
  .toStream(Out);
const [, map] = nodesOf(flowOf);
const columns = map?.operator.kind === "map" ? map.operator.columns : [];
const programs = columns.map(({ name, expression }) => [name, compile(expression)] as const);

const computed = (rows: Rows): Rows =>
  rows.withColumns(new Map(programs.map(([name, program]) => [name, () => program([rows], rows.length)])));
const shown = (rows: Rows): unknown[] =>
  Array.from({ length: rows.length }, (_, row) => rows.object(row, [...rows.names]));

const piece = fc.constantFrom("a", "b", "/", "abc=", "ab", "é", "aé", "é/", "17", "-3", " ", "😀", "İ", "A");
const texts = fc.array(piece, { maxLength: 9 }).map((parts) => parts.join(""));
const plain = fc.array(fc.constantFrom("a", "b", "/", "abc=", "17", " "), { maxLength: 9 }).map((all) => all.join(""));
const events = fc
  .oneof(texts, plain)
  .chain((one) => fc.array(fc.record({ t: fc.oneof(texts, plain, fc.constant(one)), u: plain }), { maxLength: 60 }));

const encoder = new TextEncoder();
function frameOf(kernels: ReturnType<typeof createKernels>, given: ReadonlyArray<{ t: string; u: string }>) {
  const body = given.map((event, at) => JSON.stringify({ ...event, at })).join("\n");
  const parsed = kernels.parseEvents(encoder.encode(body), Events.columns, "ndjson", { repeats: true });
  if (!parsed.ok) throw new Error(parsed.fault.code);
  return openFrame(parsed.frame, Events.columns, { nameHash, kernels });
}

test.each([
  ["the kernels", createKernels(loadCore())],
  ["their twins", createReferenceKernels()],
])("with %s", (_, kernels) => {
  fc.assert(
    fc.property(events, fc.nat(60), fc.infiniteStream(fc.nat()), (given, cut, numbers) => {
      const time = Float64Array.from(given, (__, at) => at);
      const expected = shown(computed(rowsOf({ t: text(), u: text() }, given, time)));
      const frame = frameOf(kernels, given);
      const rows = new Rows(frame.part(0, frame.rows), time);
      expect(shown(computed(rows))).toEqual(expected);
      // Parts of a frame, rows picked of it, sent elsewhere, and joined again.
      const at = Math.min(cut, given.length);
      const parts = [
        new Rows(frame.part(0, at), time.slice(0, at)),
        new Rows(frame.part(at, frame.rows), time.slice(at)),
      ] as const;
      expect(parts.flatMap((part) => shown(computed(part)))).toEqual(expected);
      const index = Uint32Array.from([...numbers.take(given.length)], (n) => n % given.length);
      const picked = computed(rows).pick(index);
      const sent = unpackRows(JSON.parse(JSON.stringify(packRows(computed(rows).pick(index)))) as PackedRows);
      expect(shown(picked)).toEqual(Array.from(index, (row) => expected[row]));
      expect(shown(sent)).toEqual(Array.from(index, (row) => expected[row]));
      for (const part of parts) {
        const joined = concatColumns([part.column("t"), computed(rows).column("third")]);
        const all = Array.from({ length: part.length + rows.length }, (__, row) => cellAt(joined, row));
        expect(all).toEqual([
          ...shown(part).map((event) => (event as { t: string }).t),
          ...expected.map((event) => (event as { third: string }).third),
        ]);
      }
    }),
    { numRuns: 400 },
  );
});

test("texts that are dropped are never made strings", () => {
  const kernels = createKernels(loadCore());
  const given = Array.from({ length: 500 }, (_, at) => ({ t: `a/b/${at}`, u: `${at}` }));
  const frame = frameOf(kernels, given);
  const rows = new Rows(frame.part(0, frame.rows), new Float64Array(frame.rows));
  const column = computed(rows).column("third");
  if (column.type !== "text") throw new Error("no text");
  expect(column.texts.bytes).not.toBeNull();
  expect(column.texts.equals("17").filter((one) => one === 1)).toHaveLength(1);
  expect(cellAt(computed(rows).pick(Uint32Array.of(17)).column("third"), 0)).toBe("17");
});
