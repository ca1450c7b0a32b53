/** What flows of a deployed app would lose with the code that is to take its place. */
import { lostOperators } from "../../sdk/flow.ts";

/** State of an operator that is gone, whose definition is another, or that must begin anew with another. */
export interface Loss {
  readonly flow: string;
  readonly operator: string;
  /** The next version of the flow names it in `drops`: it is deleted. Otherwise the flow takes no events. */
  readonly named: boolean;
}

interface Kept {
  readonly state?: Readonly<Record<string, string>>;
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
    return lostOperators(state, operators).map(({ name }) => ({
      flow,
      operator: name,
      named: other.drops?.includes(name) === true,
    }));
  });
}

function flowsOf(document: unknown): Readonly<Record<string, Kept>> {
  const flows = (document as { readonly "x-tidegate-flows"?: unknown } | null)?.["x-tidegate-flows"];
  return typeof flows === "object" && flows !== null ? (flows as Record<string, Kept>) : {};
}
