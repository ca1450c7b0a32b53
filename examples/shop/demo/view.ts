/** The view of sales as the server shows it. */
import { salesPerMinute } from "../src/sales.ts";
import type { Http } from "./http.ts";
import { type Row, rowKey } from "./windows.ts";

/** Counters of the flow since its beginning. */
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

/** The counters; the watermark is -Infinity before any event. */
export async function readTotals(http: Http): Promise<Totals> {
  return totalsOf(await readPage(http, 1, undefined));
}

/** All rows by `rowKey`, and the counters. Events must be at rest meanwhile. */
export async function readView(http: Http): Promise<{ rows: Map<string, Row & { final: boolean }>; totals: Totals }> {
  const rows = new Map<string, Row & { final: boolean }>();
  let page = await readPage(http, PAGE_ROWS, undefined);
  for (;;) {
    for (const { key, window, ...row } of page.rows) {
      const place = rowKey(window.start, key);
      if (rows.has(place)) throw new Error(`the view shows the row ${place} twice`);
      rows.set(place, row);
    }
    if (page.next === undefined) return { rows, totals: totalsOf(page) };
    page = await readPage(http, PAGE_ROWS, page.next);
  }
}

async function readPage(http: Http, limit: number, cursor: string | undefined): Promise<Page> {
  const after = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
  const path = `/v1/views/${salesPerMinute.view}?limit=${limit}${after}`;
  const answer = await http.send({ method: "GET", path });
  if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status}: ${answer.text}`);
  return JSON.parse(answer.text) as Page;
}

function totalsOf({ watermark, events, late, batches }: Page): Totals {
  return { watermark: watermark ?? -Infinity, events, late, batches };
}
