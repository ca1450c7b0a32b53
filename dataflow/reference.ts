/**
 * A naive evaluation of a flow over batches of plain events: the oracle that tests and the demo hold results against. It reads the
 * description and not the plan, and shares no code with the kernels; clarity over speed.
 */

import { floatJson } from "../sdk/exact.ts";
import type { FieldTest, FlowDefinition, WindowedFlow } from "../sdk/index.ts";
import { INT64_MAX, INT64_MIN } from "../sdk/limits.ts";
import { EVENT_TIME_MAX } from "./limits.ts";
import { windowedOf } from "./plan.ts";

/** An event as a producer writes it; other members are ignored. */
export type PlainEvent = Readonly<Record<string, unknown>>;

export interface ReferenceRow {
  readonly key: bigint | string;
  /** Milliseconds since 1970; `end` is not in the window. */
  readonly start: bigint;
  readonly end: bigint;
  /** By output name: bigint for counts and whole-number fields, number for float64. */
  readonly outputs: Readonly<Record<string, bigint | number>>;
  /** Whether the watermark has passed the window's end. */
  readonly final: boolean;
}

export interface ReferenceResult {
  /** By start, then key: numbers by value, text by its UTF-8 bytes. */
  readonly rows: readonly ReferenceRow[];
  /** Events that passed the filter after their window had closed; they are in no row. */
  readonly late: number;
  /** After the last batch. */
  readonly watermark: bigint;
}

type Values = ReadonlyMap<string, bigint | number | string>;
interface Group {
  readonly key: bigint | string;
  readonly start: bigint;
  /** In the order of arrival, which decides how a float64 sum is rounded and where an int64 sum stops. */
  readonly events: Values[];
}

/**
 * Evaluates a flow. Events of a batch are judged by the watermark before that batch; then the watermark becomes the highest time seen
 * so far, in filtered events too, less the out-of-orderness, if that is later.
 */
export function evaluate(
  definition: FlowDefinition | WindowedFlow,
  batches: ReadonlyArray<readonly PlainEvent[]>,
): ReferenceResult {
  const flow = windowedOf(definition);
  const size = BigInt(flow.window.size);
  const groups = new Map<string, Group>();
  let watermark = INT64_MIN;
  let late = 0;
  for (const batch of batches) {
    const events = batch.map((event) => typed(flow, event));
    for (const event of events) {
      if (!flow.filter.every((test) => holds(test, event))) continue;
      const start = windowStart(timeOf(flow, event), size);
      if (start + size <= watermark) late++;
      else groupOf(groups, event.get(flow.key) as bigint | string, start).events.push(event);
    }
    for (const event of events) {
      const reached = timeOf(flow, event) - BigInt(flow.outOfOrderness);
      if (reached > watermark) watermark = reached;
    }
  }
  const rows = Array.from(groups.values(), (group) => rowOf(flow, group, size, watermark));
  return { rows: rows.sort(byStartAndKey), late, watermark };
}

/** The JSON text of a row in the form of `/v1/views`. */
export function rowText(row: ReferenceRow): string {
  const outputs = Object.entries(row.outputs).map(([name, value]) => `${JSON.stringify(name)}:${numberText(value)},`);
  const key = typeof row.key === "string" ? JSON.stringify(row.key) : String(row.key);
  return `{"key":${key},"window":{"start":${row.start},"end":${row.end}},${outputs.join("")}"final":${row.final}}`;
}

function numberText(value: bigint | number): string {
  return typeof value === "bigint" ? String(value) : floatJson(value);
}

function typed(flow: WindowedFlow, event: PlainEvent): Values {
  const values = new Map<string, bigint | number | string>();
  for (const [name, { kind, optional, path = [name] }] of Object.entries(flow.stream.fields)) {
    // The window kernel looks at none of these.
    if (optional === true || kind === "boolean") continue;
    const value = path.reduce<unknown>((inside, step) => (inside as PlainEvent | undefined)?.[step], event);
    if (value === undefined) throw new TypeError(`an event of "${flow.stream.name}" lacks "${name}"`);
    if (kind === "text") values.set(name, String(value));
    else values.set(name, kind === "float64" ? Number(value) : BigInt(value as number | bigint));
  }
  return values;
}

function holds({ field, op, value }: FieldTest, event: Values): boolean {
  const actual = event.get(field);
  if (actual === undefined) throw new TypeError(`the filter names an unknown field "${field}"`);
  switch (op) {
    case "eq":
      return actual === value;
    case "ne":
      return actual !== value;
    case "lt":
      return actual < value;
    case "le":
      return actual <= value;
    case "gt":
      return actual > value;
    case "ge":
      return actual >= value;
  }
}

/** What is further from 1970 than a `Date` can be counts as of that time. */
function timeOf(flow: WindowedFlow, event: Values): bigint {
  const [time, most] = [event.get(flow.time) as bigint, BigInt(EVENT_TIME_MAX)];
  if (time > most) return most;
  return time < -most ? -most : time;
}

/** Division that floors, so that times before 1970 fall into the window that begins before them. */
function windowStart(time: bigint, size: bigint): bigint {
  const remainder = ((time % size) + size) % size;
  return time - remainder;
}

function groupOf(groups: Map<string, Group>, key: bigint | string, start: bigint): Group {
  const id = `${start} ${typeof key} ${key}`;
  const group = groups.get(id) ?? { key, start, events: [] };
  groups.set(id, group);
  return group;
}

function rowOf(flow: WindowedFlow, { key, start, events }: Group, size: bigint, watermark: bigint): ReferenceRow {
  const outputs: Record<string, bigint | number> = {};
  for (const output of flow.outputs) {
    if (output.kind === "count") outputs[output.name] = BigInt(events.length);
    else
      outputs[output.name] = reduce(
        output.kind,
        events.map((event) => event.get(output.field) as bigint | number),
      );
  }
  return { key, start, end: start + size, outputs, final: start + size <= watermark };
}

function reduce(kind: "sum" | "min" | "max", values: ReadonlyArray<bigint | number>): bigint | number {
  return values.reduce((left, right) => {
    if (kind === "min") return right < left ? right : left;
    if (kind === "max") return right > left ? right : left;
    return typeof left === "bigint" && typeof right === "bigint"
      ? saturated(left + right)
      : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, Number(left) + Number(right)));
  });
}

function saturated(sum: bigint): bigint {
  if (sum > INT64_MAX) return INT64_MAX;
  return sum < INT64_MIN ? INT64_MIN : sum;
}

function byStartAndKey(left: ReferenceRow, right: ReferenceRow): number {
  if (left.start !== right.start) return left.start < right.start ? -1 : 1;
  if (typeof left.key === "bigint" || typeof right.key === "bigint")
    return left.key < right.key ? -1 : Number(left.key > right.key);
  return compareUtf8(left.key, right.key);
}

/** Order by code points is order by UTF-8 bytes; order by UTF-16 units is not. */
function compareUtf8(left: string, right: string): number {
  const [a, b] = [Array.from(left), Array.from(right)];
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const difference = (a[at]?.codePointAt(0) ?? 0) - (b[at]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
