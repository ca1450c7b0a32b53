/** Twin of the windowed flow: a Map of groups, one row at a time. */
import { MAX_EVENT_TIME } from "../limits.ts";
import { CorruptError } from "../types.ts";
import type { ApplyOutcome, BatchBounds, ColumnTest, Measure, WindowGroup, WindowPlan, WindowState } from "../types.ts";
import { checkPlan } from "../window-plan.ts";
import { type DecodedColumn, decodeColumns, nameHash } from "./columns.ts";
import { type GroupsHead, decodeGroups, encodeGroups } from "./groups.ts";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

function clamp(value: bigint): bigint {
  return value < INT64_MIN ? INT64_MIN : value > INT64_MAX ? INT64_MAX : value;
}

/** What a plan's columns hold: none of them is optional or bool. */
type PlanCell = bigint | number | string;

function equals(a: PlanCell, b: PlanCell): boolean {
  // oxlint-disable-next-line eqeqeq -- of a bigint and a number only == compares the values
  return a == b;
}

/** Whether a cell passes; JavaScript compares bigint with number exactly. */
function passes(cell: PlanCell, { op, value }: ColumnTest): boolean {
  switch (op) {
    case "eq":
      return equals(cell, value);
    case "ne":
      return !equals(cell, value);
    case "lt":
      return cell < value;
    case "le":
      return cell <= value;
    case "gt":
      return cell > value;
    case "ge":
      return cell >= value;
  }
}

/** The time that an event counts for. */
function counted(time: bigint): bigint {
  const most = BigInt(MAX_EVENT_TIME);
  return time > most ? most : time < -most ? -most : time;
}

/** Start of the window of `time`. */
function startOf(time: bigint, size: bigint): bigint {
  const into = ((time % size) + size) % size;
  return time - into;
}

/** The greatest or least double in the place of an infinite one. */
function finite(value: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}

function addTo(measure: Measure | undefined, value: bigint | number): Measure {
  if (measure === undefined) return { sum: value, min: value, max: value };
  const { sum, min, max } = measure;
  return {
    sum: typeof value === "bigint" ? clamp((sum as bigint) + value) : finite((sum as number) + value),
    min: value < min ? value : min,
    max: value > max ? value : max,
  };
}

function textBytes(key: bigint | string): number {
  return typeof key === "string" ? new TextEncoder().encode(key).length : 0;
}

/** See {@link Kernels.openWindow}. */
export function openWindow(plan: WindowPlan): WindowState {
  checkPlan(plan);
  return new ReferenceWindow(plan);
}

class ReferenceWindow implements WindowState {
  readonly #plan: WindowPlan;
  readonly #size: bigint;
  #open = new Map<string, WindowGroup>();
  readonly #touched = new Set<string>();
  #closedThrough: bigint | null = null;
  #freed = false;

  constructor(plan: WindowPlan) {
    this.#plan = plan;
    this.#size = BigInt(plan.size);
  }

  apply(
    frame: Uint8Array,
    givenWatermark: bigint,
    { outOfOrderness, bytes = Infinity }: BatchBounds = {},
  ): ApplyOutcome {
    this.#check();
    const { rows, columns } = decodeColumns(frame);
    this.#match(columns);
    const watermark = clamp(givenWatermark);
    const { cells } = columns[this.#plan.time] as DecodedColumn;
    const times = (cells as bigint[]).map(counted);
    const next = new Map(this.#open);
    const touched = new Set<string>();
    let late = 0;
    let applied = 0;
    for (let row = 0; row < rows; row++) {
      const cell = (column: number): PlanCell => columns[column]?.cells[row] as PlanCell;
      if (!this.#plan.filter.every((test) => passes(cell(test.column), test))) continue;
      const start = startOf(times[row] as bigint, this.#size);
      if (clamp(start + this.#size) <= watermark) {
        late++;
        continue;
      }
      applied++;
      const key = cell(this.#plan.key) as bigint | string;
      const id = `${start}|${key}`;
      const group = next.get(id);
      const measures = this.#plan.measures.map((column, i) =>
        addTo(group?.measures[i], cell(column) as bigint | number),
      );
      next.set(id, { key, start, count: (group?.count ?? 0n) + 1n, measures });
      touched.add(id);
    }
    const maxTime = times.reduce<bigint | null>((most, time) => (most === null || time > most ? time : most), null);
    const moves = maxTime !== null && outOfOrderness !== undefined;
    const latest = moves ? clamp(maxTime - BigInt(outOfOrderness)) : watermark;
    const reached = latest > watermark ? latest : watermark;
    const [before, after] = [this.#goingOn(this.#open, reached), this.#goingOn(next, reached)];
    if (
      after.length > Math.max(before.length, this.#plan.maxGroups) ||
      this.#bytesOf(after) > Math.max(this.#bytesOf(before), bytes)
    )
      throw new RangeError("too-many-groups");
    this.#open = next;
    for (const id of touched) this.#touched.add(id);
    return { rows, applied, late, maxTime };
  }

  takeDelta(): Uint8Array {
    this.#check();
    if (this.#touched.size === 0 && this.#closedThrough === null) return new Uint8Array();
    const groups = [...this.#touched].map((id) => this.#open.get(id) as WindowGroup);
    const delta = encodeGroups(this.#head(this.#closedThrough), groups);
    this.#touched.clear();
    this.#closedThrough = null;
    return delta;
  }

  close(givenWatermark: bigint): Uint8Array {
    this.#check();
    const watermark = clamp(givenWatermark);
    const closed = this.#remove(watermark);
    if (closed.length === 0) return new Uint8Array();
    const before = this.#closedThrough;
    this.#closedThrough = before !== null && before > watermark ? before : watermark;
    return encodeGroups(this.#head(null), closed);
  }

  snapshot(): Uint8Array {
    this.#check();
    return encodeGroups(this.#head(null), [...this.#open.values()]);
  }

  groupsOf(key: string): Uint8Array {
    this.#check();
    const groups = [...this.#open.values()].filter((group) => String(group.key) === key);
    return groups.length === 0 ? new Uint8Array() : encodeGroups(this.#head(null), groups);
  }

  load(bytes: Uint8Array): void {
    this.#check();
    if (bytes.length === 0) return;
    const { head, groups } = decodeGroups(bytes);
    const expected = this.#head(head.closedThrough);
    const same =
      head.size === expected.size &&
      head.keyType === expected.keyType &&
      head.measures.join() === expected.measures.join();
    if (!same) throw new CorruptError("kind", "groups of another plan");
    if (head.closedThrough !== null) this.#remove(head.closedThrough);
    for (const group of groups) this.#open.set(`${group.start}|${group.key}`, group);
  }

  get groups(): number {
    this.#check();
    return this.#open.size;
  }

  /** It holds no Wasm memory. */
  get bytes(): number {
    this.#check();
    return 0;
  }

  get held(): number {
    this.#check();
    return this.#bytesOf([...this.#open.values()]);
  }

  /** What the kernel counts: a record that fills a line of the cache, the places that lead to it, and those of a text. */
  get groupBytes(): number {
    const { columns, key, measures } = this.#plan;
    return Math.max(64, 32 + 24 * measures.length) + 20 + (columns[key]?.type === "text" ? 48 : 0);
  }

  free(): void {
    this.#check();
    this.#freed = true;
  }

  #check(): void {
    if (this.#freed) throw new Error("this window state has been freed");
  }

  #head(closedThrough: bigint | null): GroupsHead {
    const typeOf = (column: number) => this.#plan.columns[column]?.type ?? "i64";
    return {
      closedThrough,
      size: this.#size,
      keyType: typeOf(this.#plan.key),
      measures: this.#plan.measures.map(typeOf),
    };
  }

  /** Groups whose windows end later. */
  #goingOn(groups: ReadonlyMap<string, WindowGroup>, reached: bigint): WindowGroup[] {
    return [...groups.values()].filter(({ start }) => clamp(start + this.#size) > reached);
  }

  #bytesOf(groups: readonly WindowGroup[]): number {
    return groups.reduce((sum, { key }) => sum + this.groupBytes + textBytes(key), 0);
  }

  /** Removes and returns the groups whose windows have ended. */
  #remove(watermark: bigint): WindowGroup[] {
    const closed: WindowGroup[] = [];
    for (const [id, group] of this.#open) {
      if (clamp(group.start + this.#size) > watermark) continue;
      closed.push(group);
      this.#open.delete(id);
      this.#touched.delete(id);
    }
    return closed;
  }

  #match(columns: readonly DecodedColumn[]): void {
    const same =
      columns.length === this.#plan.columns.length &&
      this.#plan.columns.every(
        ({ name, type }, c) => columns[c]?.type === type && columns[c].nameHash === nameHash(name),
      );
    if (!same) throw new CorruptError("kind", "columns of another stream");
  }
}
