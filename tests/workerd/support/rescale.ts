/** Changing the number of partitions of the app under test. */
import { expect } from "vitest";
import type { RescaleStatus } from "../../../protocol/coordinator/rescaling.ts";
import { admin } from "./app.ts";
import { sleep } from "./patience.ts";

const PATIENCE_MS = 40_000;

/** There are to be so many partitions. */
export async function rescaleTo(partitions: number): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await admin("/admin/partitions", { method: "POST", headers, body: JSON.stringify({ partitions }) });
  expect([response.status, ((await response.json()) as RescaleStatus).wanted]).toEqual([202, partitions]);
}

export async function status(): Promise<RescaleStatus> {
  return (await admin("/admin/partitions")).json();
}

export async function untilThere(partitions: number): Promise<RescaleStatus> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const now = await status().catch(() => null);
    if (now?.phase === "still" && now.partitions === partitions) return now;
    if (Date.now() > end) throw new Error(`${partitions} partitions are not reached: ${JSON.stringify(now)}`);
    await sleep(5);
  }
}
