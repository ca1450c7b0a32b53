/**
 * Events that a stream keeps for those who read them, in entries of some hundred KiB. They are kept as columns and become JSON when they are
 * read: most are read seldom, and many never.
 *
 *   entry  number of its first event -> time of its coming, a space, number of events, a line feed, the rows (docs/formats.md, "Rows")
 */
import { nullColumn } from "../../dataflow/columns/column.ts";
import type { Rows } from "../../dataflow/columns/rows.ts";
import { type PackedRows, packRows, unpackRows } from "../../dataflow/columns/wire.ts";
import { fromSortableWhole, sortableWhole } from "../../dataflow/keys.ts";
import { rowJson } from "../../dataflow/operators/accumulators.ts";
import type { ShardStore } from "../../dataflow/operators/store.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { LIMITS } from "../limits.ts";

const EVENTS = "e";
/** Entries that one batch drops for age beyond those that it writes, at most: so there are never more and more of them. */
const DROPPED_AT_ONCE = 50;
const PAGE = 8;

/**
 * Entries that are older than the retention are dropped, some at a time. They are looked at one by one: mostly the first is to stay, and each is long.
 * @param written how many the batch has written
 */
export function dropOld(store: ShardStore, before: number, written: number): void {
  let from = "";
  for (let dropped = 0; dropped < DROPPED_AT_ONCE + written; dropped++) {
    const [oldest] = store.range(EVENTS, { from, limit: 1 });
    if (oldest === undefined || headOf(oldest[1]).at >= before) return;
    store.put(EVENTS, oldest[0], null);
    from = `${oldest[0]}\u0000`;
  }
}

/** Keeps events whose first has the number `begin`. Returns how many entries they are. */
export function keepEvents(
  store: ShardStore,
  { begin, at, names }: { readonly begin: number; readonly at: number; readonly names: readonly string[] },
  rows: Rows,
): number {
  const text = JSON.stringify(packRows(rows, names));
  const parts = Math.min(rows.length, Math.ceil(text.length / LIMITS.streamEntryChars));
  if (parts <= 1) {
    if (text.length > LIMITS.maxValueBytes)
      throw new TidegateError(
        "transaction-too-large",
        `an event that a stream keeps has at most ${LIMITS.maxValueBytes} bytes`,
      );
    store.put(EVENTS, sortableWhole(begin), `${at} ${rows.length}\n${text}`);
    return 1;
  }
  let written = 0;
  for (let part = 0; part < parts; part++) {
    const from = Math.floor((part * rows.length) / parts);
    const to = Math.floor(((part + 1) * rows.length) / parts);
    const index = Uint32Array.from({ length: to - from }, (_, row) => from + row);
    written += keepEvents(store, { begin: begin + from, at, names }, rows.pick(index));
  }
  return written;
}

interface KeptEvents {
  /** Number of the first of them. */
  readonly first: number;
  /** As JSON. */
  readonly events: readonly string[];
}

/** Kept events from a number on, or from the first that is left. */
export function eventsFrom(store: ShardStore, names: readonly string[], from: number, limit: number): KeptEvents {
  // The entry that begins before it may reach beyond it.
  const [before] = store.range(EVENTS, { to: `${sortableWhole(from)}\u0000`, limit: 1, reverse: true });
  const events: string[] = [];
  let first = -1;
  let size = 0;
  let page = store.range(EVENTS, { from: before?.[0] ?? sortableWhole(from), limit: PAGE });
  while (page.length > 0) {
    for (const [key, text] of page) {
      const begin = Number(fromSortableWhole(key));
      const { count, rowsAt } = headOf(text);
      const skipped = Math.max(0, from - begin);
      if (skipped >= count) continue;
      if (first < 0) first = begin + skipped;
      const rows = unpackRows(JSON.parse(text.slice(rowsAt)) as PackedRows);
      const known = new Set(rows.names);
      // A field that the stream has got since then is null, whether it is optional or not: nobody said what it is, and there is more behind these.
      const fields = names.map(
        (name) => [name, known.has(name) ? rows.column(name) : nullColumn("text", count)] as const,
      );
      for (let row = skipped; row < count; row++) {
        const event = rowJson(fields, row);
        events.push(event);
        size += event.length;
        if (events.length >= limit || size > LIMITS.maxViewChars) return { first, events };
      }
    }
    const last = page.at(-1)?.[0] as string;
    page = page.length < PAGE ? [] : store.range(EVENTS, { from: `${last}\u0000`, limit: PAGE });
  }
  return { first: first < 0 ? from : first, events };
}

function headOf(text: string): { readonly at: number; readonly count: number; readonly rowsAt: number } {
  const end = text.indexOf("\n");
  const [at, count] = text.slice(0, end).split(" ").map(Number) as [number, number];
  return { at, count, rowsAt: end + 1 };
}
