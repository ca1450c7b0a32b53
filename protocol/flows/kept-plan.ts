/**
 * What the groups of a flow's windows are: stored with them, since another version of the flow may want something else. Filters, and how
 * outputs are named, are no part of it.
 */
import type { FlowPlan, WindowPlan } from "../../dataflow/plan.ts";
import type { EventColumn } from "../../sdk/stream.ts";

type Kept = readonly [name: string, type: EventColumn["type"]];

export interface KeptPlan {
  /** Milliseconds of a window. */
  readonly size: number;
  readonly key: Kept;
  readonly time: string;
  readonly measures: readonly Kept[];
  readonly maxGroups: number;
}

export function keptPlanOf({ columns, key, time, size, measures, maxGroups }: WindowPlan): KeptPlan {
  const kept = (at: number): Kept => [columns[at]?.name ?? "", columns[at]?.type ?? "i64"];
  return { size, key: kept(key), time: kept(time)[0], measures: measures.map(kept), maxGroups };
}

export function sameKept(a: KeptPlan, b: KeptPlan): boolean {
  const text = ({ size, key, time, measures }: KeptPlan): string => JSON.stringify([size, key, time, measures]);
  return a === b || text(a) === text(b);
}

/** A plan that can hold such groups, and is given no events. */
export function windowPlanOf({ size, key, time, measures, maxGroups }: KeptPlan): WindowPlan {
  const all: readonly Kept[] = [key, [time, "i64"], ...measures];
  const columns = all.map(([name, type], at) => ({ name: `${at}-${name}`, type }));
  return { columns, filter: [], key: 0, time: 1, size, measures: measures.map((_, at) => at + 2), maxGroups };
}

/** Of a flow that the code does not have as the kernel's (any more): it keeps its state for code that does, takes no events and shows none. */
export function idlePlanOf(name: string, stream: string, kept: KeptPlan): FlowPlan {
  const window = windowPlanOf(kept);
  return { name, stream, columns: window.columns, window, outOfOrderness: 0, outputs: [], view: "" };
}
