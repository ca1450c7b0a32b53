/** A copy of its own: a slice would keep the whole text that it is of in memory, a frame's with its inputs or a block's. A slice of a joined text keeps only that. */
export function detached(text: string): string {
  return `:${text}`.slice(1);
}
