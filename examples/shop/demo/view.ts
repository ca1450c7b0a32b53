/** The view of sales as the server shows it. */
import { salesPerMinute } from "../src/sales.ts";
import type { Http } from "./http.ts";
import { type Row, rowKey } from "./windows.ts";

/** Counters of the flow since its beginning; the watermark is -Infinity before any event. */
export interface Totals {
  readonly watermark: number;
  readonly events: number;
  readonly late: number;
  readonly batches: number;
}
interface Page {
  readonly rows: ReadonlyArray<Row & { key: string; window: { start: number; end: number }; final: boolean }>;
  readonly watermark: number | null;
  readonly events: number;
  readonly late: number;
  readonly batches: number;
  readonly next?: string;
}

const PAGE_ROWS = 1_000;

/** The whole view. */
export interface View {
  /** By `rowKey`. */
  readonly rows: ReadonlyMap<string, Row & { readonly final: boolean }>;
  /** Places of rows that were shown more than once. */
  readonly doubled: readonly string[];
  readonly totals: Totals;
}

/** Reads it page by page; events must be at rest meanwhile. */
export async function readView(http: Http): Promise<View> {
  const rows = new Map<string, Row & { final: boolean }>();
  const doubled: string[] = [];
  let page = await readPage(http, undefined);
  for (;;) {
    for (const { key, window, ...row } of page.rows) {
      const place = rowKey(window.start, key);
      if (rows.has(place)) doubled.push(place);
      rows.set(place, row);
    }
    if (page.next === undefined) return { rows, doubled, totals: totalsOf(page) };
    page = await readPage(http, page.next);
  }
}

async function readPage(http: Http, cursor: string | undefined): Promise<Page> {
  const after = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
  const path = `/v1/views/${salesPerMinute.view}?limit=${PAGE_ROWS}${after}`;
  const answer = await http.send({ method: "GET", path });
  if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status}: ${answer.text}`);
  return JSON.parse(answer.text) as Page;
}

function totalsOf({ watermark, events, late, batches }: Page): Totals {
  return { watermark: watermark ?? -Infinity, events, late, batches };
}
