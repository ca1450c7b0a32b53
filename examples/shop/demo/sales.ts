/** Sales as tills would report them: popular articles, mostly in order, some seconds late, a few of them far too late, some refunds. */
import { ARTICLES } from "./goods.ts";
import { between, type Random, zipf } from "./random.ts";

const MINUTE_MS = 60_000;
/** Sales of one minute; the length of a run in event time follows. */
const PER_MINUTE = 8_000;
const SKEW = 1;
/** Milliseconds by which tills lag. */
const LAG_MS = 4_000;
const LATE_SHARE = 0.002;
const LATE_MINUTES = 15;
const REFUND_SHARE = 0.02;
const drawArticle = zipf(ARTICLES.length, SKEW);

/** Sales by column, in the order in which they are sent. */
export interface SalesBatch {
  readonly rows: number;
  /** Places in `ARTICLES`. */
  readonly item: Uint16Array;
  /** Cents. */
  readonly amount: Int32Array;
  readonly quantity: Uint8Array;
  /** Milliseconds since 1970. */
  readonly at: Float64Array;
}

/** Event time that so many sales take up. */
export function duration(events: number): number {
  return Math.ceil(events / PER_MINUTE) * MINUTE_MS;
}

/** The next sales of a run. @param first how many came before  @param start event time of the run's beginning */
export function salesBatch(chance: Random, first: number, rows: number, start: number): SalesBatch {
  const batch = {
    rows,
    item: new Uint16Array(rows),
    amount: new Int32Array(rows),
    quantity: new Uint8Array(rows),
    at: new Float64Array(rows),
  };
  for (let row = 0; row < rows; row++) {
    const item = drawArticle(chance);
    const quantity = chance() < 0.7 ? 1 : between(chance, 2, 6);
    const due = Math.floor(((first + row) * MINUTE_MS) / PER_MINUTE);
    const behind =
      chance() < LATE_SHARE ? between(chance, 1, LATE_MINUTES) * MINUTE_MS : Math.floor(chance() ** 3 * LAG_MS);
    batch.item[row] = item;
    batch.quantity[row] = quantity;
    batch.amount[row] = (ARTICLES[item]?.price ?? 0) * quantity * (chance() < REFUND_SHARE ? -1 : 1);
    batch.at[row] = start + Math.max(0, due - behind);
  }
  return batch;
}

/** The batch as NDJSON. */
export function ndjson({ rows, item, amount, quantity, at }: SalesBatch): Buffer {
  let text = "";
  for (let row = 0; row < rows; row++)
    text += `{"item":"${ARTICLES[item[row] ?? 0]?.name}","amount":${amount[row]},"quantity":${quantity[row]},"at":${at[row]}}\n`;
  return Buffer.from(text, "latin1");
}
