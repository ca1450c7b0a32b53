/** A page of events that are kept under numbers, as routes show it. */
import { LIMITS } from "../limits.ts";

export const PAGE_PARAMETERS = [
  { name: "limit", in: "query", schema: { type: "integer", minimum: 1, maximum: LIMITS.eventsPerPage } },
  { name: "after", in: "query", description: "The last id that is known.", schema: { type: "integer", minimum: -1 } },
];

/** @param event schema of each */
export function eventsPage(event: unknown): Record<string, unknown> {
  const item = {
    type: "object",
    properties: { id: { type: "integer" }, event },
    required: ["id", "event"],
  };
  return {
    type: "object",
    properties: {
      events: { type: "array", items: item },
      end: { type: "integer", description: "The id that the next one will have." },
    },
    required: ["events", "end"],
  };
}
