/** A flow that has been changed: which operators keep their state, and which lose it. */
import type { FlowProgram } from "../../dataflow/program.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { type FlowState, shardKey } from "./flow-state.ts";

/** What a new version of a flow would lose: operators that are gone, and those whose definition is another. */
export function dropsOf(program: FlowProgram, state: FlowState): string[] {
  const now = new Map(program.steps.flatMap((step) => (step.kind === "vertex" ? [[step.name, step.id] as const] : [])));
  return Object.entries(state.vertices).flatMap(([name, id]) => (now.get(name) === id ? [] : [name]));
}

/**
 * The state as the present version goes on with it, and the shares whose state is dropped.
 * @throws TidegateError `flow-changed` when something would be lost that is not named
 */
export function checkVersion(
  program: FlowProgram,
  state: FlowState,
): { readonly state: FlowState; readonly dropped: readonly string[] } {
  const shards: string[] = [];
  const dropped = dropsOf(program, state);
  const unnamed = dropped.filter((name) => !program.definition.drops.includes(name));
  if (unnamed.length > 0) {
    throw new TidegateError(
      "flow-changed",
      `flow "${program.name}" would lose the state of ${unnamed.join(", ")}: restore what they were, or name them in \`drops\``,
    );
  }
  for (const name of dropped) {
    const id = state.vertices[name] ?? "";
    for (const shard of (state.next[name] ?? []).keys()) shards.push(shardKey(program.name, id, shard));
    Reflect.deleteProperty(state.vertices, name);
    Reflect.deleteProperty(state.marks, name);
    Reflect.deleteProperty(state.next, name);
  }
  for (const step of program.steps) if (step.kind === "vertex") state.vertices[step.name] = step.id;
  return { state, dropped: shards };
}
