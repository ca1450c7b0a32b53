/**
 * What each object of this isolate has used, counted as its bill counts it: requests, bytes, rows, and the time in which it has something
 * to do. Kept beside the objects and not in them, so that the figures outlast an object that hibernates; they end with the isolate.
 */

export interface UsageFigures {
  /** Times that the object was started from storage. */
  readonly starts: number;
  /** Calls and sessions of peers that came in, and alarms: each is a billed request of the object. */
  readonly requests: number;
  /** Bytes of frames and batches that came in, and of answers to them. Batches are counted where they arrive, so that none counts twice. */
  readonly bytes: number;
  /** SQLite's own counters; an alarm that is set is a row written. */
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Alarms that have rung. */
  readonly alarms: number;
  /** Time with a call, a session, a write or a timer under way: what is billed. */
  readonly busyMs: number;
  /** Time in memory with nothing under way, at most what the platform waits before it hibernates an object. */
  readonly idleMs: number;
}

/** The platform hibernates an object that has had nothing to do for so long. */
const HIBERNATES_AFTER_MS = 10_000;

export class Usage {
  #starts = 0;
  #requests = 0;
  #bytes = 0;
  #rowsRead = 0;
  #rowsWritten = 0;
  #alarms = 0;
  #busyMs = 0;
  #idleMs = 0;
  #busy = 0;
  /** When the present stretch of work, or of idleness, began; ms. */
  #since: number | null = null;

  /** A new instance: what its predecessor had under way is gone. */
  started(): void {
    while (this.#busy > 0) this.end();
    this.#starts += 1;
  }

  /** Something is under way from here to `end`. */
  begin(): void {
    if (this.#busy++ > 0) return;
    const now = Date.now();
    if (this.#since !== null) this.#idleMs += Math.min(now - this.#since, HIBERNATES_AFTER_MS);
    this.#since = now;
  }

  /** An instance that was replaced may end what its successor has forgotten. */
  end(): void {
    if (this.#busy === 0 || --this.#busy > 0) return;
    const now = Date.now();
    this.#busyMs += now - (this.#since ?? now);
    this.#since = now;
  }

  request(bytes: number): void {
    this.#requests += 1;
    this.#bytes += bytes;
  }

  /** Within a call that was counted: an answer, or a batch in a session. */
  transferred(bytes: number): void {
    this.#bytes += bytes;
  }

  /** An alarm has rung: it is a request, too. */
  alarm(): void {
    this.#alarms += 1;
    this.request(0);
  }

  rows(read: number, written: number): void {
    this.#rowsRead += read;
    this.#rowsWritten += written;
  }

  get figures(): UsageFigures {
    const stretch = this.#since === null ? 0 : Date.now() - this.#since;
    const busy = this.#busy > 0;
    return {
      starts: this.#starts,
      requests: this.#requests,
      bytes: this.#bytes,
      rowsRead: this.#rowsRead,
      rowsWritten: this.#rowsWritten,
      alarms: this.#alarms,
      busyMs: this.#busyMs + (busy ? stretch : 0),
      idleMs: this.#idleMs + (busy ? 0 : Math.min(stretch, HIBERNATES_AFTER_MS)),
    };
  }
}

/** By the object's name. Tenants may be many, so what is beyond this many objects is dropped, the oldest first. */
const USAGES_MAX = 10_000;
const usages = new Map<string, Usage>();

/** Figures of all objects that this isolate has had, by name. Asks none of them, so that one that hibernates goes on doing so. */
export function usageFigures(): Record<string, UsageFigures> {
  return Object.fromEntries([...usages].map(([name, usage]) => [name, usage.figures]));
}

export function usageOf(name: string): Usage {
  let usage = usages.get(name);
  if (usage) return usage;
  for (const oldest of usages.keys()) {
    if (usages.size < USAGES_MAX) break;
    usages.delete(oldest);
  }
  usages.set(name, (usage = new Usage()));
  return usage;
}
