/** A flow that is drawn for each of some seeds, in as many versions as the app has there: it reads what the fixed ones do. */
import { flow, type FlowDefinition, int64, sinks, stream } from "../../../sdk/index.ts";
import { Left, Right, RULES } from "../app.ts";
import type { FlowEvent } from "../model/events.ts";
import { markOf } from "../versions.ts";
import { type Graph, shownNodes, type StreamName, type View, viewsOf } from "./graph.ts";
import { keptBy, mustLose } from "./losses.ts";
import type { Event } from "./oracle.ts";

export const DRAWN_FLOW = "drawn";
/** Numbers of events in the order in which it has taken them, each with the version. */
export const DrawnLog = stream("drawn-log", { n: int64() });
export const DRAWN_STREAMS: Readonly<Record<string, StreamName>> = { [Left.name]: "in", [Right.name]: "other" };

/** Its versions, one for each of the app's. */
export type Versions = readonly Graph[];

/** What an event is to it. */
export function drawnEvent({ n, v, at }: FlowEvent): Event {
  return { k: (v + 3) % KEYS, v: n % VALUES, at };
}
const KEYS = 5;
const VALUES = 7;

export function drawnFlow(versions: Versions, version: number): FlowDefinition {
  const f = flow(DRAWN_FLOW, { drops: dropsOf(versions, version) });
  const options = { time: "at", outOfOrderness: RULES.outOfOrderness } as const;
  const [left, right] = [f.from(Left, options), f.from(Right, options)];
  const log = left.union(right).map((e) => ({ n: e.n.add(markOf(version)) }));
  const views = viewsOf(versions[version] as Graph, {
    in: () => left.map((e) => ({ k: e.v.add(3).mod(KEYS), v: e.n.mod(VALUES) })),
    other: () => right.map((e) => ({ k: e.v.add(3).mod(KEYS), v: e.n.mod(VALUES) })),
  });
  // First in each version: where the state of a flow is follows from the first stream of the version that begins it.
  return sinks(log.toStream(DrawnLog), ...views);
}

/** It may follow on any other, when instances go back and forth. */
function dropsOf(versions: Versions, version: number): string[] {
  const lost = versions.flatMap((before) => [...mustLose(keptBy(before), versions[version] as Graph)]);
  return [...new Set(lost)];
}

/** Views that are the same in every version, and lose nothing in any: whichever an instance has that is asked, it shows the same. */
export function steadyViews(versions: Versions): readonly View[] {
  const [first, ...later] = versions as readonly [Graph, ...Graph[]];
  const lost = new Set(versions.flatMap((_, version) => dropsOf(versions, version)));
  return first.views.filter((view) => {
    const nodes = shownNodes({ ...first, views: [view] });
    if (lost.has(`view-${view.id}`) || nodes.some(({ id }) => lost.has(id))) return false;
    const text = JSON.stringify(nodes);
    return later.every(({ nodes: all, views }) => {
      const same = views.find(({ id }) => id === view.id);
      return same?.of === view.of && JSON.stringify(shownNodes({ nodes: all, views: [same] })) === text;
    });
  });
}
