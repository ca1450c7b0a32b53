/**
 * Flows that the window kernel runs, when the code has changed: state is not added to by what it is not for, nor lost, unless the flow names it in
 * `drops`. Who keeps the state of a flow is in the value under its own key, where flows of operators have theirs.
 */
import { type FlowDefinition, nodesOf } from "../../sdk/flow.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";
import { type FlowState, freshState } from "../flows/flow-state.ts";
import { flowService, homeOf } from "../flows/internal.ts";
import { type Elsewhere, isElsewhere } from "../flows/place.ts";
import { entityKey } from "../state/state-key.ts";
import type { StateStore, Write } from "../state/store.ts";
import type { FlowRuntime } from "../flows/flow-runtime.ts";

/** In the place of the hash of an operator's definition: the kernel keeps its state, and says itself what that is. */
export const KERNEL = "kernel";

/** The operator that a flow of the window kernel has state of. */
export function aggregateOf(flow: FlowDefinition): string {
  return nodesOf(flow).find(({ operator }) => operator.kind === "aggregate")?.name ?? "aggregate";
}

/** What the present version of the flow would lose, by name: operators, and ends, where events may wait for delivery. The kernel cannot ask whether any do. */
export function kernelDrops(flow: FlowDefinition, runtime: FlowRuntime, committed: StateStore): string[] {
  const name = aggregateOf(flow);
  const state = stateOf(flow, committed);
  // Operators have run it, and keep its state at another of the streams that they read.
  if (isElsewhere(state)) return [name];
  const vertices = Object.entries(state?.vertices ?? {});
  const gone = vertices.flatMap(([each, id]) => (each === name && id === KERNEL ? [] : [each]));
  return [...new Set([...gone, ...(runtime.isStale ? [name] : []), ...(state?.ends ?? [])])];
}

/** Makes a flow ready to take a batch, and drops what it names. Returns what is to be committed. */
export function prepareKernel(flow: FlowDefinition, runtime: FlowRuntime, committed: StateStore): Write[] {
  const lost = kernelDrops(flow, runtime, committed);
  if (lost.length > 0) runtime.drop();
  const name = aggregateOf(flow);
  const next: FlowState = { ...freshState(), vertices: { [name]: KERNEL } };
  const state = stateOf(flow, committed);
  if (state !== null && !isElsewhere(state)) {
    if (lost.length === 0 && state.vertices[name] === KERNEL) return [];
    // What operators have set aside can still be read, and stays counted.
    Object.assign(next, { late: state.late, dead: state.dead });
    const left = leftBy(state);
    if (left.length > 0) next.left = left;
    const ends = [...(state.leftEnds ?? []), ...(state.ends ?? [])];
    if (ends.length > 0) next.leftEnds = ends;
  }
  return [{ op: "put", key: entityOf(flow), text: encodeValue(next) }];
}

/** What operators have kept. The kernel cannot clear it: it has no transactions. */
function leftBy({ vertices, next, left = [] }: FlowState): Array<[id: string, shards: number]> {
  const ids = Object.entries(vertices).filter(([, id]) => id !== KERNEL);
  return [...left, ...ids.map(([name, id]): [string, number] => [id, next[name]?.length ?? 0])];
}

/** @throws TidegateError `flow-changed` */
export function requireNamed({ name, drops }: FlowDefinition, lost: readonly string[]): void {
  const unnamed = lost.filter((each) => !drops.includes(each));
  if (unnamed.length === 0) return;
  throw new TidegateError(
    "flow-changed",
    `flow "${name}" would lose the state of ${unnamed.join(", ")}: restore what they were, or name them in \`drops\``,
  );
}

function stateOf(flow: FlowDefinition, committed: StateStore): FlowState | Elsewhere | null {
  const entity = entityOf(flow);
  const text = committed.get(entity, entity);
  return text === null ? null : (decodeValue(text) as FlowState | Elsewhere);
}

function entityOf(flow: FlowDefinition): string {
  return entityKey(flowService(flow.name), homeOf(flow));
}
