/** What was thrown, in words. It may be anything, and may itself throw when it is looked at. */

/** Of an error its message. */
export function messageOf(error: unknown): string {
  return words(() => (error instanceof Error ? error.message : error));
}

/** What is to be a text, as one. */
export function words(say: () => unknown): string {
  try {
    return String(say());
  } catch {
    return "an error that cannot be shown";
  }
}
