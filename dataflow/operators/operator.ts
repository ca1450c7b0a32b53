/** What runs on one share of a vertex. */

import type { Rows } from "../columns/rows.ts";
import type { ShardStore } from "./store.ts";

/** What one batch brings to a share. */
export interface ShardInput {
  /** By input. */
  readonly inputs: readonly Rows[];
  /** The watermark by which the batch is judged; -Infinity before the first event. */
  readonly before: number;
  /** The watermark behind it. */
  readonly after: number;
  /** Server time of the batch, ms. */
  readonly now: number;
  /** From this batch on results are read, or have to end without events, as they had not before: what is open may have been kept with nothing to end it. */
  readonly begins?: boolean;
  /** It is a part of a batch, behind which others come. */
  readonly more?: boolean;
}

export interface LateRows {
  readonly input: number;
  /** Their numbers. */
  readonly index: readonly number[];
}

export interface ShardOutput {
  readonly rows: Rows;
  /** Which rows came too late, by input. */
  readonly late: readonly LateRows[];
  /** The watermark at which it must be called even if nothing comes; Infinity for never. */
  readonly next: number;
}

/**
 * An operator on one share. It keeps in memory what it read and wrote; it is dropped when what it wrote was not committed, and the next one
 * begins from the store.
 */
export interface ShardOperator {
  apply(input: ShardInput, store: ShardStore): ShardOutput;
}

export const NOTHING_LATE: ShardOutput["late"] = [];
