/** What a flow asks of services: queries for its lookups, and functions as its ends. */
import { cellAt } from "../../dataflow/columns/column.ts";
import { compile } from "../../dataflow/columns/expressions.ts";
import { type Rows, rowsOf } from "../../dataflow/columns/rows.ts";
import type { LookupStep, ProgramSink } from "../../dataflow/program.ts";
import { encodeValue } from "../../sdk/values.ts";
import { toJson } from "../../sdk/json.ts";
import type { FlowContext } from "./internal.ts";
import { keepLog } from "./log.ts";

export const DEAD = "dead";

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

type CallSink = Extract<ProgramSink, { readonly kind: "call" }>;

/** Calls for each row, those of one key one after the other. Returns how many were refused and set aside. */
export async function callService(
  ctx: FlowContext,
  sink: CallSink,
  rows: Rows,
  { keys, batch, dead }: { readonly keys: readonly string[]; readonly batch: number; readonly dead: number },
): Promise<number> {
  const names = Object.keys(sink.input.fields);
  const argumentOf = (row: number): unknown => sink.argument?.(rows.object(row, names) as never);
  if (sink.as === "message") {
    for (const [row, key] of keys.entries()) ctx.send(sink.contract, key)[sink.function]?.(argumentOf(row));
    return 0;
  }
  const byKey = new Map<string, number[]>();
  for (const [row, key] of keys.entries()) {
    const list = byKey.get(key);
    if (list === undefined) byKey.set(key, [row]);
    else list.push(row);
  }
  const refused: Array<{ readonly row: number; readonly key: string; readonly refusal: unknown }> = [];
  await Promise.all(
    Array.from(byKey, async ([key, list]) => {
      for (const row of list) {
        const refusal = await callOnce(ctx, sink, key, argumentOf(row));
        if (refusal !== null) refused.push({ row, key, refusal });
      }
    }),
  );
  // In the order of rows, whatever the order of answers was.
  refused.sort((a, b) => a.row - b.row);
  for (const [number, { row, key, refusal }] of refused.entries()) {
    const event = rows.object(row, names);
    keepLog(ctx, DEAD, [batch, dead + number], toJson({ sink: sink.name, key, refusal, event }));
  }
  return refused.length;
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
  if (tried.refusal === undefined) throw tried.error;
  return tried.refusal;
}
