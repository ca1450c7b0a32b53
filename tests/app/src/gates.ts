/**
 * Gates: points at which a function of a test waits until the test lets it on, and notes of how far it has come.
 *
 * Test and objects share an isolate, but a promise that one request's context resolves need not wake a waiter of another. So
 * only data is shared, and whoever waits looks again by a timer of its own context.
 */

/** Taken before the engine guards it: what waits here is a function inside a transaction. */
const timer = globalThis.setTimeout.bind(globalThis);
const LOOK_AGAIN_MS = 1;
/** A function that waits longer was forgotten by its test. */
const FORGOTTEN_MS = 20_000;

const opened = new Set<string>();
const notes = new Map<string, number>();

export function openGate(name: string): void {
  opened.add(name);
}

/** Waits until the gate of this name is open; an open gate stays open, also for the next attempt of a transaction. */
export function atGate(name: string): Promise<void> {
  return until(() => opened.has(name), `the gate "${name}" to open`);
}

/** Counts that something happened, such as the end of a step. */
export function note(name: string): void {
  notes.set(name, noted(name) + 1);
}

/** How often it happened. */
export function noted(name: string): number {
  return notes.get(name) ?? 0;
}

/** Looks until it holds. @throws when that takes too long, with what was waited for */
export async function until(holds: () => boolean, what: string, patienceMs = FORGOTTEN_MS): Promise<void> {
  for (let looked = 0; !holds(); looked++) {
    if (looked * LOOK_AGAIN_MS > patienceMs) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => timer(resolve, LOOK_AGAIN_MS));
  }
}
