/** What the flows of a partition count of themselves, as it is committed here: looked at for people, without a transaction. */
import { decodeValue } from "../../sdk/values.ts";
import type { FlowDefinition } from "../../sdk/flow.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { type EgressStatus, egressKey, egressStatusOf } from "../flows/egress.ts";
import type { FlowState } from "../flows/flow-state.ts";
import { EGRESS, flowService, homeOf } from "../flows/internal.ts";
import { type Elsewhere, isElsewhere } from "../flows/place.ts";
import type { Ownership } from "../moves/ownership.ts";
import { entityKey } from "../state/state-key.ts";
import type { StateStore } from "../state/store.ts";
import type { Flows } from "./flows.ts";

export interface FlowFigures {
  readonly flow: string;
  readonly events: number;
  readonly batches: number;
  readonly late: number;
  readonly deadLetters: number;
}
export interface EndFigures extends EgressStatus {
  readonly flow: string;
  readonly sink: string;
}

interface Parts {
  readonly flows: Flows;
  readonly ownership: Ownership;
  readonly layers: { readonly committed: StateStore };
}

/** Of the flows that are kept here. */
export function flowFigures({ flows, ownership, layers }: Parts): FlowFigures[] {
  return [...flows.app.flows.values()].flatMap((flow) => {
    // An earlier version of it may have begun at another stream.
    const places = new Set([homeOf(flow), ...(flows.app.windowed.has(flow.name) ? [] : flows.app.streams.keys())]);
    return [...places].flatMap((place) => {
      const found = ownership.isHere(place) ? figuresAt(place, flow, flows, layers.committed) : null;
      return found === null ? [] : [{ flow: flow.name, ...found }];
    });
  });
}

function figuresAt(
  place: string,
  { name }: FlowDefinition,
  flows: Flows,
  committed: StateStore,
): Omit<FlowFigures, "flow"> | null {
  if (flows.app.windowed.has(name)) {
    const { events, batches, late } = flows.runtime(name)?.status ?? { events: 0, batches: 0, late: 0 };
    return { events, batches, late, deadLetters: 0 };
  }
  const entity = entityKey(flowService(name), place);
  const text = committed.get(entity, entity);
  const state = text === null ? null : (decodeValue(text) as FlowState | Elsewhere);
  if (state === null || isElsewhere(state)) return null;
  const { events, batches, late, dead } = state;
  return { events, batches, late, deadLetters: dead };
}

/** Of the ends in the outside world that are kept here. */
export function endFigures({ flows, ownership, layers }: Parts): EndFigures[] {
  return endsOf(flows.app).flatMap(({ flow, sink }) => {
    const key = egressKey(flow, sink);
    if (!ownership.isHere(key)) return [];
    const entity = entityKey(EGRESS, key);
    const text = layers.committed.get(entity, entity);
    return text === null ? [] : [{ flow, sink, ...egressStatusOf(text) }];
  });
}

function endsOf(app: AppDefinition): Array<{ readonly flow: string; readonly sink: string }> {
  return [...app.flows.values()].flatMap((flow) =>
    flow.sinks.flatMap((sink) => (sink.kind === "egress" ? [{ flow: flow.name, sink: sink.name }] : [])),
  );
}
