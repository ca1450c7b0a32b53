/** How an object that does not start tells so to whoever calls it. An error loses its class from object to object, and keeps its message. */

const WORDS = "tidegate object does not start";

/**
 * @param cause is in the message, for logs: the edge tells no caller of it
 * @example
 * ```ts
 * throw unstarted(new Error("storage of another version"));
 * ```
 */
export function unstarted(cause: unknown): Error {
  return new Error(`${WORDS}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

/** Whether an object had not started when this was thrown: it has handled nothing of the call. */
export function isUnstarted(error: unknown): boolean {
  return error instanceof Error && error.message.includes(WORDS);
}
