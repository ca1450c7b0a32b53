/** What a schema found, as one line for people. */
import type { Issue } from "./schema.ts";

/** Each with its place, `/` for the value itself. */
export function issuesText(issues: readonly Issue[]): string {
  return issues.map(({ path, message }) => `${path || "/"}: ${message}`).join("; ");
}
