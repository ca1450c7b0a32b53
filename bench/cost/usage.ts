/** The counters of all objects, read over HTTP and added up. */
import type { UsageFigures } from "../../durable/usage.ts";
import { APP_PORT } from "../transfers/stage.ts";
import type { Use } from "./prices.ts";

export type ByObject = Readonly<Record<string, UsageFigures & { readonly alarmAt?: number | null }>>;

const FIGURES = ["requests", "bytes", "rowsRead", "rowsWritten", "busyMs", "idleMs"] as const;

/** Looks without waking anybody. */
export function look(): Promise<ByObject> {
  return get("/usage");
}

/** Asks every object, which wakes those that hibernate. */
export function ask(): Promise<ByObject> {
  return get("/ask");
}

async function get(path: string): Promise<ByObject> {
  const response = await fetch(`http://127.0.0.1:${APP_PORT}${path}`);
  if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
  return (await response.json()) as ByObject;
}

/** What all objects used between two looks. */
export function between(before: ByObject, after: ByObject): Use {
  const sum: Record<(typeof FIGURES)[number], number> = {
    requests: 0,
    bytes: 0,
    rowsRead: 0,
    rowsWritten: 0,
    busyMs: 0,
    idleMs: 0,
  };
  for (const [name, figures] of Object.entries(after)) {
    for (const figure of FIGURES) sum[figure] += figures[figure] - (before[name]?.[figure] ?? 0);
  }
  return sum;
}

/** Returns when nothing is written and nobody is called any more, at most so long after. */
export async function settled(milliseconds = 5_000): Promise<ByObject> {
  const deadline = Date.now() + milliseconds;
  let last = await look();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const now = await look();
    const { requests, rowsWritten } = between(last, now);
    if ((requests === 0 && rowsWritten === 0) || Date.now() > deadline) return now;
    last = now;
  }
}
