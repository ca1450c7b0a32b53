/** What a flow asks of services: queries for its lookups, and functions as its ends. */
import { cellAt } from "../../dataflow/columns/column.ts";
import { compile } from "../../dataflow/columns/expressions.ts";
import { rowLines } from "../../dataflow/columns/lines.ts";
import { type Rows, rowsOf } from "../../dataflow/columns/rows.ts";
import type { LookupStep, ProgramSink } from "../../dataflow/program.ts";
import { toJson } from "../../sdk/json.ts";
import { refusalOf } from "../../sdk/refusal.ts";
import { encodeValue } from "../../sdk/values.ts";
import type { FlowContext } from "./internal.ts";

/** Asks for each row; those with the same key and input ask once. */
export async function lookUp(ctx: FlowContext, step: LookupStep, rows: Rows): Promise<Rows> {
  const { contract, query, key, input, select } = step.operator;
  const keys = compile(key)([rows], rows.length);
  const events = Array.from({ length: rows.length }, (_, row) => rows.object(row, step.from));
  const asked = new Map<string, Promise<unknown>>();
  const answers = events.map((event, row) => {
    const at = String(cellAt(keys, row));
    const argument = input?.(event as never);
    const question = JSON.stringify([at, argument === undefined ? "" : encodeValue(argument)]);
    let answer = asked.get(question);
    if (answer === undefined)
      asked.set(question, (answer = ctx.call(contract, at)[query]?.(argument) as Promise<unknown>));
    return answer;
  });
  const found = await Promise.all(answers);
  const kept: Array<Readonly<Record<string, unknown>>> = [];
  const from: number[] = [];
  for (const [row, event] of events.entries()) {
    const selected = select(event as never, found[row] as never) as Readonly<Record<string, unknown>> | null;
    if (selected === null) continue;
    kept.push(selected);
    from.push(row);
  }
  const { sign } = rows;
  const signs = sign === null ? null : Int8Array.from(from, (row) => sign[row] as number);
  return rowsOf(
    step.fields,
    kept,
    Float64Array.from(from, (row) => rows.time[row] as number),
    signs,
  );
}

export type CallSink = Extract<ProgramSink, { readonly kind: "call" }>;

/** Calls for each row. Returns those that were refused, for the dead letters. */
export async function callService(
  ctx: FlowContext,
  sink: CallSink,
  rows: Rows,
  keys: readonly string[],
): Promise<string[]> {
  const names = Object.keys(sink.input.fields);
  const argumentOf = (row: number): unknown => sink.argument?.(rows.object(row, names) as never);
  if (sink.as === "message") {
    for (const [row, key] of keys.entries()) ctx.send(sink.contract, key)[sink.function]?.(argumentOf(row));
    return [];
  }
  // One after the other, in the order of rows: functions that call each other's keys would else wait for each other in a circle, and the batch
  // could never be taken.
  const refused: Array<{ readonly row: number; readonly key: string; readonly refusal: unknown }> = [];
  for (const [row, key] of keys.entries()) {
    const refusal = await callOnce(ctx, sink, key, argumentOf(row));
    if (refusal !== null) refused.push({ row, key, refusal });
  }
  const events = rowLines(rows.pick(Uint32Array.from(refused, ({ row }) => row)), names, sink.input.json);
  return refused.map(({ key, refusal }, at) => {
    const head = toJson({ at: ctx.now(), sink: sink.name, key, refusal }).slice(0, -1);
    return `${head},"event":${events[at]}}`;
  });
}

/** Calls for one event that was set aside. A refusal fails it. */
export async function callAgain(
  ctx: FlowContext,
  sink: CallSink,
  key: string,
  event: Readonly<Record<string, unknown>>,
): Promise<void> {
  await ctx.call(sink.contract, key)[sink.function]?.(sink.argument?.(event as never));
}

/** The refusal that is to be set aside, or null. Any other failure fails the batch. */
async function callOnce(ctx: FlowContext, sink: CallSink, key: string, argument: unknown): Promise<unknown> {
  if (sink.onRefusal === "abort-batch") {
    await ctx.call(sink.contract, key)[sink.function]?.(argument);
    return null;
  }
  const tried = (await ctx.try(sink.contract, key)[sink.function]?.(argument)) as
    | { readonly ok: true }
    | { readonly ok: false; readonly refusal?: unknown; readonly error?: unknown };
  if (tried.ok) return null;
  const refused = refusalOf(tried);
  if (refused === undefined) throw tried.error;
  return refused;
}
