/** A query as a flow, and how what it shows is compared with the naive evaluation. */
import type { FlowDefinition } from "../../../sdk/index.ts";
import type { Kind } from "../events.ts";
import type { Result } from "../naive/arrivals.ts";
import type { QueryName } from "../naive/queries.ts";

/** A row as a view or a stream shows it. */
export type Shown = Readonly<Record<string, unknown>>;

export interface Query {
  readonly name: QueryName;
  readonly flow: FlowDefinition<never> | FlowDefinition;
  /** The kinds of events that it reads, each from the stream `{query}-{kind}`. */
  readonly reads: readonly Kind[];
  /** Where its results are: the view or the stream of this name. */
  readonly shows: { readonly view: string } | { readonly stream: string };
  /** What a row that is shown is among the rows of the naive evaluation. */
  rowsOf(shown: Shown): Result["rows"];
  /** Windows close by the clock of the server. */
  readonly byClock?: boolean;
}

/** The row itself. */
export const asItIs = (shown: Shown): Result["rows"] => [shown as Result["rows"][number]];

/** The start of the window of a row behind windows. */
export const startOf = (shown: Shown): number => (shown["window"] as { readonly start: number }).start;
