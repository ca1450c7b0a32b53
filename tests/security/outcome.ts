/** What came of a request, in one line, and the addresses that the tests ask. */
import { problemIn } from "../worker/support/edge.ts";

export const WRITE = (key: string) => `/v1/services/note/${key}/write`;
export const READ = (key: string) => `/v1/services/note/${key}/read`;

export async function outcome(response: Response): Promise<string> {
  if (response.ok) return String(response.status);
  return `${response.status} ${(await problemIn(response)).type}`;
}
export const DENIED = "403 /problems/forbidden";
export const CLOSED = "401 /problems/unauthorized";
