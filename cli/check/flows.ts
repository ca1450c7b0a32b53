/** What flows of a deployed app would lose with the code that is to take its place. */
import { lostOperators } from "../../sdk/flow.ts";

/** State of an operator that is gone, whose definition is another, or that must begin anew with another. */
export interface Loss {
  readonly flow: string;
  readonly operator: string;
  /** It is what it was, but this one begins anew, and one of them takes back results of the other. */
  readonly with?: string;
  /** The next version of the flow names it in `drops`: it is deleted. Otherwise the flow takes no events. */
  readonly named: boolean;
}

/** An end of a flow that another operator leads to, which is defined as the one before was: it shows the state of that one no more. */
export interface Strayed {
  readonly flow: string;
  readonly end: string;
  readonly from: string;
  readonly to: string;
}

interface Kept {
  readonly state?: Readonly<Record<string, string>>;
  /** Absent in what older code says. */
  readonly ends?: Readonly<Record<string, readonly string[]>>;
  readonly follows?: Readonly<Record<string, readonly string[]>>;
  readonly joinLate?: readonly string[];
  /** Absent where operators run the flow, and in what older code says. */
  readonly stream?: string;
  readonly drops?: readonly unknown[];
}

/** Of two OpenAPI documents. A flow that is gone loses nothing: its state stays where it is. */
export function losses(deployed: unknown, next: unknown): Loss[] {
  const now = flowsOf(next);
  return Object.entries(flowsOf(deployed)).flatMap(([flow, { state = {}, stream }]) => {
    const other = Object.hasOwn(now, flow) ? now[flow] : undefined;
    if (other === undefined) return [];
    const { follows = {}, joinLate = [] } = other;
    // State stays at the stream where the window kernel began it.
    const moves = stream !== undefined && other.stream !== undefined && other.stream !== stream;
    const operators = Object.entries(other.state ?? {}).map(([name, id]) => ({
      name,
      id: moves ? `${id} of ${other.stream}` : id,
      follows: Object.hasOwn(follows, name) ? (follows[name] ?? []) : [],
      joinsLate: joinLate.includes(name),
    }));
    return lostOperators(state, operators).map(({ name, with: tied }) => ({
      flow,
      operator: name,
      ...(tied === null ? {} : { with: tied }),
      named: other.drops?.includes(name) === true,
    }));
  });
}

/** Operators without a name of their own are counted in their order: another order gives one of them the state of another, if they are alike. */
const COUNTED = /^[a-z]+-\d+$/;

/** Of two OpenAPI documents. Nothing is lost, and nothing holds such a flow: that is only told. */
export function strayed(deployed: unknown, next: unknown): Strayed[] {
  const now = flowsOf(next);
  return Object.entries(flowsOf(deployed)).flatMap(([flow, { state = {}, ends = {} }]) => {
    const other = Object.hasOwn(now, flow) ? now[flow] : undefined;
    const ids = new Map(Object.entries(other?.state ?? {}));
    const led = Object.entries(other?.ends ?? {});
    const goesOn = (name: string): boolean => ids.get(name) === state[name];
    const isInPlaceOf = (name: string, from: string): boolean =>
      definitionOf(ids.get(name)) === definitionOf(state[from]) && (goesOn(name) || goesOn(from));
    const counted = Object.entries(ends).filter(([name]) => COUNTED.test(name) && Object.hasOwn(state, name));
    return counted.flatMap(([from, before]) =>
      before.flatMap((end) => {
        const leading = led.filter(([, list]) => list.includes(end)).map(([name]) => name);
        const to = leading.includes(from) ? undefined : leading.find((name) => isInPlaceOf(name, from));
        return to === undefined ? [] : [{ flow, end, from, to }];
      }),
    );
  });
}

/** Of an operator's id, what its name does not say. */
function definitionOf(id: string | undefined): string | undefined {
  return id?.slice(id.indexOf("@") + 1);
}

function flowsOf(document: unknown): Readonly<Record<string, Kept>> {
  const flows = (document as { readonly "x-tidegate-flows"?: unknown } | null)?.["x-tidegate-flows"];
  return typeof flows === "object" && flows !== null ? (flows as Record<string, Kept>) : {};
}
