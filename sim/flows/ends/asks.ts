/** What clients and an operator ask for of the flow with ends. */
import { STREAM, VIEW } from "../../../protocol/flows/internal.ts";
import { REDRIVE } from "../../../protocol/flows/letters.ts";
import { DEAD } from "../../../protocol/flows/log.ts";
import type { Place } from "../../clients/steps.ts";
import { ENDS_FLOW, Sold, SoldLog } from "./app.ts";

/** Rows that one page has at most. */
const PAGE_ROWS = 5_000;

export type EndsAsk =
  /** Committed events of its log. */
  | { readonly kind: "ends-page"; readonly after: number; readonly limit: number }
  | { readonly kind: "ends-letters" }
  | { readonly kind: "ends-status" }
  | { readonly kind: "ends-gates"; readonly at: string; readonly keys: readonly string[] }
  /** Sends a dead letter again. */
  | { readonly kind: "ends-redrive"; readonly letter: number };

export const ENDS_KINDS = [
  "ends-page",
  "ends-letters",
  "ends-status",
  "ends-gates",
  "ends-redrive",
] as const satisfies ReadonlyArray<EndsAsk["kind"]>;

/** All but those of the user's own service. */
export const ENDS_INTERNAL = ENDS_KINDS.filter((kind) => kind !== "ends-gates");

export function isEndsAsk(ask: { readonly kind: string }): ask is EndsAsk {
  return (ENDS_KINDS as readonly string[]).includes(ask.kind);
}

export function encodeEndsAsk(ask: EndsAsk): { readonly at: Place; readonly name: string; readonly input: string } {
  switch (ask.kind) {
    case "ends-page": {
      const { after, limit } = ask;
      return { at: [STREAM, SoldLog.name], name: "read", input: JSON.stringify({ after, limit }) };
    }
    case "ends-letters": {
      const input = { flow: ENDS_FLOW, what: DEAD, after: -1, limit: PAGE_ROWS };
      return { at: [VIEW, Sold.name], name: "aside", input: JSON.stringify(input) };
    }
    case "ends-status":
      return { at: [VIEW, Sold.name], name: "flow", input: JSON.stringify({ flow: ENDS_FLOW }) };
    case "ends-gates":
      return { at: ["fg", ask.at], name: "all", input: JSON.stringify(ask.keys) };
    case "ends-redrive":
      return { at: [VIEW, Sold.name], name: REDRIVE, input: JSON.stringify({ flow: ENDS_FLOW, letter: ask.letter }) };
  }
}

/** Everything, at the end. */
export function finalEndsReads(keys: readonly string[]): EndsAsk[] {
  return [
    { kind: "ends-page", after: -1, limit: PAGE_ROWS },
    { kind: "ends-letters" },
    { kind: "ends-status" },
    { kind: "ends-gates", at: keys[0] as string, keys },
  ];
}
