/**
 * What the view of sales must show, worked out by the demo itself: windows of a minute per article, and the watermark rule of
 * dataflow/watermark.ts, batch by batch in the order in which they were acknowledged.
 */
import { salesPerMinute } from "../src/sales.ts";
import { ARTICLES } from "./goods.ts";
import type { SalesBatch } from "./sales.ts";

const { windowed } = salesPerMinute;
if (windowed === null) throw new Error("the flow of sales is one that the window kernel runs");
/** Milliseconds. */
export const SIZE = windowed.window.size;
export const OUT_OF_ORDERNESS = windowed.outOfOrderness;

/** Outputs of one row of the view, by name. */
export interface Row {
  readonly sales: number;
  readonly revenue: number;
  readonly pieces: number;
  readonly least: number;
  readonly most: number;
}
type Sums = { -readonly [N in keyof Row]: Row[N] };

/** A row's place in the view: window, then article. */
export const rowKey = (start: number, item: string): string => `${start} ${item}`;

export class Windows {
  /** By window start, then by place in `ARTICLES`. */
  readonly #windows = new Map<number, Array<Sums | undefined>>();
  #watermark: number;

  /** @param watermark of the view before the first batch; -Infinity before any event */
  constructor(watermark: number) {
    this.#watermark = watermark;
  }

  get watermark(): number {
    return this.#watermark;
  }

  /** Takes a batch; returns how many of its sales are late. */
  take({ rows, item, amount, quantity, at }: SalesBatch): number {
    let late = 0;
    let latest = -Infinity;
    for (let row = 0; row < rows; row++) {
      const time = at[row] ?? Number.NaN;
      const cents = amount[row] ?? Number.NaN;
      if (time > latest) latest = time;
      if (cents <= 0) continue;
      const start = Math.floor(time / SIZE) * SIZE;
      if (start + SIZE <= this.#watermark) late++;
      else this.#add(start, item[row] ?? Number.NaN, cents, quantity[row] ?? Number.NaN);
    }
    this.#watermark = Math.max(this.#watermark, latest - OUT_OF_ORDERNESS);
    return late;
  }

  #add(start: number, item: number, cents: number, pieces: number): void {
    let window = this.#windows.get(start);
    if (window === undefined) this.#windows.set(start, (window = Array.from({ length: ARTICLES.length })));
    const sums = window[item];
    if (sums === undefined) window[item] = { sales: 1, revenue: cents, pieces, least: cents, most: cents };
    else {
      sums.sales += 1;
      sums.revenue += cents;
      sums.pieces += pieces;
      sums.least = Math.min(sums.least, cents);
      sums.most = Math.max(sums.most, cents);
    }
  }

  /** All rows by `rowKey`, with whether their window is closed. */
  rows(): Map<string, Row & { readonly final: boolean }> {
    const rows = new Map<string, Row & { readonly final: boolean }>();
    for (const [start, window] of this.#windows) {
      for (const [item, sums] of window.entries()) {
        if (sums === undefined) continue;
        rows.set(rowKey(start, ARTICLES[item]?.name ?? ""), { ...sums, final: start + SIZE <= this.#watermark });
      }
    }
    return rows;
  }
}
