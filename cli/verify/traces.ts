/** Whether a run may have left anything where it is: only then there is something to take away, and to be told of where that cannot be. */
import { leavesOpen, problemError } from "../../sdk/client/errors.ts";

/** Of what fails before the request is on its way. */
const UNCONNECTED =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$|CERT|^UNABLE_TO_VERIFY/;

export class Traces {
  /** A request was carried out, or nobody said that it was not. Each attempt counts: the client tells of the last one alone. */
  maybe = false;

  /** For the client of the run. */
  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    try {
      const response = await fetch(url, init);
      if (response.ok || leavesOpen(problemError(response.status, await response.clone().text()))) this.maybe = true;
      return response;
    } catch (error) {
      if (!isUnconnected(error)) this.maybe = true;
      throw error;
    }
  };
}

function isUnconnected(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return UNCONNECTED.test(String(cause?.code ?? ""));
}
