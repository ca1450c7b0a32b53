/** Dead letters of a flow, one by one: given to their end once more, or deleted. */
import { rowsOf } from "../../dataflow/columns/rows.ts";
import type { FlowProgram, ProgramSink } from "../../dataflow/program.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { exact } from "../../sdk/exact.ts";
import type { FlowNode } from "../../sdk/index.ts";
import { callAgain } from "./calls.ts";
import { type AgainHead, egressKey } from "./egress.ts";
import { EGRESS, type FlowContext } from "./internal.ts";
import { jsonMembers } from "./json-members.ts";
import { takeLine } from "./lines.ts";
import { DEAD } from "./log.ts";
import type { Payload } from "./payload.ts";

/** Functions of views, by the names that the edge asks for, and of a flow's own key. They answer whether the letter is there. */
export const REDRIVE = "redrive";
export const REMOVE = "remove";

/** What is asked of one; JSON. */
export interface LetterAsk {
  readonly flow: string;
  readonly letter: number;
}

/**
 * Gives the event to the end that did not take it, and takes it from the list: both or neither. What refuses it once more fails this.
 * @throws TidegateError `flow-changed` when the flow has no such end any more, `invalid-event` when that is given other fields now
 */
export async function redrive(ctx: FlowContext, program: FlowProgram, { head }: Payload): Promise<Payload> {
  const line = takeLine(ctx.store, DEAD, (head as LetterAsk).letter);
  if (line === null) return { head: false, rows: [] };
  const letter = jsonMembers(line);
  const name = JSON.parse(letter.get("sink") ?? "null") as string;
  const event = letter.get("event") ?? "{}";
  const sink = program.sinks.find((each) => each.kind !== "stream" && each.name === name);
  if (sink === undefined || sink.kind === "stream")
    throw new TidegateError("flow-changed", `flow "${program.name}" has no end "${name}" any more`);
  await giveAgain(ctx, program, sink, letter, event);
  return { head: true, rows: [] };
}

async function giveAgain(
  ctx: FlowContext,
  program: FlowProgram,
  sink: Exclude<ProgramSink, { readonly kind: "stream" }>,
  letter: ReadonlyMap<string, string>,
  event: string,
): Promise<void> {
  const fields = eventOf(sink.name, sink.input, event);
  if (sink.kind === "egress") {
    const head: AgainHead = { line: lineOf(sink.input, event) };
    await ctx.ask(EGRESS, egressKey(program.name, sink.name), "again", { head, rows: [] });
    return;
  }
  const key = JSON.parse(letter.get("key") ?? "null") as string;
  await callAgain(ctx, sink, key, fields);
}

/** An event as it is delivered: with the fields that its end is given now, each as it was written. */
function lineOf({ fields }: FlowNode, text: string): string {
  const members = jsonMembers(text);
  return `{${Object.keys(fields)
    .map((field) => `${JSON.stringify(field)}:${members.get(field) ?? "null"}`)
    .join(",")}}`;
}

export function remove(ctx: FlowContext, { head }: Payload): Payload {
  return { head: takeLine(ctx.store, DEAD, (head as LetterAsk).letter) !== null, rows: [] };
}

/** An event as user code gets it. */
function eventOf(name: string, { fields, json }: FlowNode, text: string): Readonly<Record<string, unknown>> {
  const members = jsonMembers(text);
  const cells = Object.entries(fields).map(([field, { kind }]): [string, unknown] => {
    const cell = members.get(field) ?? "null";
    if (json.includes(field)) return [field, cell];
    return [field, kind === "float64" ? JSON.parse(cell) : JSON.parse(cell, exact)];
  });
  try {
    return rowsOf(fields, [Object.fromEntries(cells)], new Float64Array(1)).object(0, Object.keys(fields));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TidegateError("invalid-event", `the end "${name}" is given other fields now: ${error.message}`);
  }
}
