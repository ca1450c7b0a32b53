/** What flows keep, so that one can see before a deploy what another version of them would lose: an extension of the OpenAPI document. */
import { planFlow } from "../../dataflow/plan.ts";
import { programOf } from "../../dataflow/program.ts";
import { keptPlanOf } from "../../protocol/flows/kept-plan.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { type FlowDefinition, nodesOf } from "../../sdk/flow.ts";

export interface FlowState {
  /** Operators that have state, by name, and what it is of: equal texts mean that it is kept. */
  readonly state: Readonly<Record<string, string>>;
  /** Of those, the ones whose results others take back: they are kept together or not at all. */
  readonly follows: Readonly<Record<string, readonly string[]>>;
  /** Of the ones that take back: those that may begin anew by themselves. */
  readonly joinLate: readonly string[];
  /** The ends that operators with state lead to: of some that are defined alike, it shows which is which. */
  readonly ends: Readonly<Record<string, readonly string[]>>;
  /** Of what the window kernel runs, the stream: its partition keeps the state, and another one does not know of it. */
  readonly stream?: string;
  /** What this version may lose. */
  readonly drops: readonly string[];
}

export function flowStates(app: AppDefinition): Record<string, FlowState> {
  const states: Record<string, FlowState> = {};
  for (const flow of app.flows.values()) {
    const windowed = app.windowed.get(flow.name);
    const kept: Record<string, string> = {};
    const follows: Record<string, readonly string[]> = {};
    const joinLate: string[] = [];
    if (windowed !== undefined) {
      const { maxGroups: _, ...plan } = keptPlanOf(planFlow(windowed).window);
      const aggregate = nodesOf(flow).find(({ operator }) => operator.kind === "aggregate");
      kept[aggregate?.name ?? "aggregate"] = `kernel ${JSON.stringify(plan)}`;
    } else {
      for (const step of programOf(flow).steps) {
        if (step.kind !== "vertex") continue;
        kept[step.name] = step.id;
        if (step.follows.length === 0) continue;
        follows[step.name] = step.follows;
        if (step.joinsLate) joinLate.push(step.name);
      }
    }
    const stream = windowed === undefined ? {} : { stream: windowed.stream.name };
    const ends = windowed === undefined ? endsOf(flow) : {};
    states[flow.name] = { state: kept, follows, joinLate, ends, ...stream, drops: flow.drops };
  }
  return states;
}

function endsOf(flow: FlowDefinition): Record<string, readonly string[]> {
  const ends: Record<string, readonly string[]> = {};
  for (const { operator, name } of nodesOf(flow)) if ("keys" in operator || operator.kind === "join") ends[name] = [];
  for (const sink of flow.sinks) {
    const end = `${sink.kind} "${sink.kind === "stream" ? sink.stream.name : sink.name}"`;
    for (const { name } of nodesOf({ sinks: [sink] })) {
      const known = Object.hasOwn(ends, name) ? ends[name] : undefined;
      if (known?.includes(end) === false) ends[name] = [...known, end];
    }
  }
  return ends;
}
