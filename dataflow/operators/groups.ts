/** Groups of aggregates: their states, and their entries. */

import { TidegateError } from "../../sdk/errors.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";
import type { AnyField, Fields, FlowOutput } from "../../sdk/index.ts";
import { type Cell, type Column, columnOf } from "../columns/column.ts";
import { Rows } from "../columns/rows.ts";
import { type GroupId, groupText, keyCells, keyText } from "../keys.ts";
import { RESULTS_MAX } from "../limits.ts";
import { type Accumulator, accumulatorOf } from "./accumulators.ts";

/** What all aggregate operators are made from. */
export interface AggregateSpec {
  readonly keys: readonly string[];
  readonly outputs: readonly FlowOutput[];
  /** Of the events that come in. */
  readonly inputs: Fields;
  /** Those are results that are taken back where others take their place. */
  readonly changes: boolean;
  /** Of the results. */
  readonly fields: Fields;
  readonly lateness: number;
  readonly ttl: number | null;
  /** Somebody reads the results as events. */
  readonly emits: boolean;
  /** A view shows the groups: closed ones are kept. */
  readonly viewed: boolean;
  /** A view shows windows, and time comes to their end without events, too: by the clock, or since a source falls idle. */
  readonly woken: boolean;
}

export interface Group {
  readonly id: GroupId;
  /** Events, less those taken back. */
  n: number;
  /** Greatest event time. */
  time: number;
  slots: unknown[];
  /** The batch that touched it last, and its number among those. */
  stamp: number;
  index: number;
  /** Its result before this batch, where it had been given. */
  old: readonly Cell[] | null;
}

export class Grouping {
  readonly spec: AggregateSpec;
  readonly accumulators: readonly Accumulator[];

  constructor(spec: AggregateSpec) {
    this.spec = spec;
    this.accumulators = spec.outputs.map((output) => accumulatorOf(output, spec.inputs, spec.changes));
  }

  fresh(id: GroupId): Group {
    const slots = this.accumulators.map(({ init }) => init());
    return { id, n: 0, time: -Infinity, slots, stamp: 0, index: 0, old: null };
  }

  encode({ n, time, slots }: Group): string {
    return encodeValue([n, time, ...slots]);
  }

  decode(id: GroupId, text: string): Group {
    const [n, time, ...slots] = decodeValue(text) as [number, number, ...unknown[]];
    return { id, n, time, slots, stamp: 0, index: 0, old: null };
  }

  fold(groups: readonly Group[], of: Uint32Array, rows: Rows, index: Uint32Array): void {
    for (let at = 0; at < of.length; at++) {
      const group = groups[of[at] as number] as Group;
      const row = index[at] as number;
      group.n += rows.sign === null ? 1 : (rows.sign[row] as number);
      const time = rows.time[row] as number;
      if (time > group.time) group.time = time;
    }
    for (const [slot, accumulator] of this.accumulators.entries()) {
      const nulls = this.#nullsOf(slot, rows);
      if (nulls === undefined) accumulator.fold(groups, of, rows, index, slot);
      else {
        const has = index.map((row, at) => (nulls[row] === 1 ? NONE : at)).filter((at) => at !== NONE);
        accumulator.fold(groups, gatherWords(of, has), rows, gatherWords(index, has), slot);
      }
    }
  }

  /** An aggregate of a field heeds no event without a value there. */
  #nullsOf(slot: number, rows: Rows): Uint8Array | undefined {
    const output = this.spec.outputs[slot] as FlowOutput;
    const field = "field" in output ? output.field : output.kind === "top" ? output.by : undefined;
    if (field === undefined || this.spec.inputs[field]?.optional !== true) return undefined;
    return rows.column(field).nulls;
  }

  results({ slots }: Group): Cell[] {
    return this.accumulators.map((accumulator, slot) => accumulator.result(slots[slot]));
  }

  /** The text under which a group is stored. */
  text(id: GroupId): string {
    return groupText(id, this.spec.keys.length);
  }

  /** The cells of a group's key. */
  cells(id: GroupId): readonly Cell[] {
    if (this.spec.keys.length === 1) return [id];
    return keyCells(String(id));
  }

  key(cells: readonly Cell[]): GroupId {
    return cells.length === 1 ? (cells[0] as GroupId) : keyText(cells);
  }
}

const NONE = 0xffff_ffff;
const gatherWords = (words: Uint32Array, index: Uint32Array): Uint32Array => index.map((at) => words[at] as number);

/** Results on their way to rows. */
export class Results {
  readonly #fields: Fields;
  readonly #cells: Cell[][];
  readonly #time: number[] = [];
  readonly #sign: number[] = [];
  #signed = false;

  constructor(fields: Fields) {
    this.#fields = fields;
    this.#cells = Object.keys(fields).map(() => []);
  }

  /** Cells in the order of the fields. @throws TidegateError `transaction-too-large` for more than a batch may give */
  add(cells: readonly Cell[], time: number, sign: 1 | -1): void {
    if (this.#time.length >= RESULTS_MAX)
      throw new TidegateError(
        "transaction-too-large",
        `an operator gives more than ${RESULTS_MAX} results in one batch`,
      );
    for (const [at, cell] of cells.entries()) this.#cells[at]?.push(cell);
    this.#time.push(time);
    this.#sign.push(sign);
    if (sign < 0) this.#signed = true;
  }

  rows(): Rows {
    const columns = new Map<string, Column>();
    for (const [at, [name, field]] of (Object.entries(this.#fields) as Array<[string, AnyField]>).entries())
      columns.set(name, columnOf(field, this.#cells[at] as Cell[]));
    return new Rows(columns, Float64Array.from(this.#time), this.#signed ? Int8Array.from(this.#sign) : null);
  }
}
