/** Messages that were sent to be delivered later, and are not to be delivered after all. */

import { ProblemError } from "./errors.ts";
import type { Transport } from "./transport.ts";

/** Whether it was there to be cancelled. */
export async function cancel(transport: Transport, id: string, signal: AbortSignal | undefined): Promise<boolean> {
  const idempotencyKey = crypto.randomUUID();
  const path = `/v1/messages/${encodeURIComponent(id)}`;
  try {
    await transport.send({ method: "DELETE", path, idempotencyKey, signal }, (response) => response.text());
    return true;
  } catch (error) {
    if (error instanceof ProblemError && error.type === "message-gone") return false;
    throw error;
  }
}
