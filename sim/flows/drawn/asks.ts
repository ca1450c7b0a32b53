/** What clients ask for of the drawn flow. */
import { STREAM, VIEW } from "../../../protocol/flows/internal.ts";
import type { Place } from "../../clients/steps.ts";
import { Left } from "../app.ts";
import { DRAWN_FLOW, DrawnLog, type Versions } from "./app.ts";

/** Rows that one page has at most. */
const PAGE_ROWS = 5_000;

/** `drawn-log` is the order of what it has taken. */
export type DrawnAsk = { readonly kind: "drawn-view"; readonly view: string } | { readonly kind: "drawn-log" };

export const DRAWN_KINDS = ["drawn-view", "drawn-log"] as const satisfies ReadonlyArray<DrawnAsk["kind"]>;

export function isDrawnAsk(ask: { readonly kind: string }): ask is DrawnAsk {
  return (DRAWN_KINDS as readonly string[]).includes(ask.kind);
}

export function encodeDrawnAsk(ask: DrawnAsk): { readonly at: Place; readonly name: string; readonly input: string } {
  switch (ask.kind) {
    case "drawn-view": {
      const input = { flow: DRAWN_FLOW, view: ask.view, limit: PAGE_ROWS };
      return { at: [VIEW, Left.name], name: "view", input: JSON.stringify(input) };
    }
    case "drawn-log": {
      const input = { after: -1, limit: PAGE_ROWS };
      return { at: [STREAM, DrawnLog.name], name: "read", input: JSON.stringify(input) };
    }
  }
}

/** Everything, at the end. */
export function finalDrawnReads(versions: Versions): DrawnAsk[] {
  const views = versions.at(-1)?.views ?? [];
  return [{ kind: "drawn-log" }, ...views.map(({ id }): DrawnAsk => ({ kind: "drawn-view", view: id }))];
}
