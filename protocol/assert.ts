/** Assertions that stay on in production. A failed one means the machine's memory can no longer be trusted: the shell aborts the object. */

export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** The numbers are those of the invariants in docs/architecture.md. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
