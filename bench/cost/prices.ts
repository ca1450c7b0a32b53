/** What counted use costs, by the platform's price list of November 2026, beyond what a plan includes. */
import type { UsageFigures } from "../../durable/usage.ts";

const MILLION = 1_000_000;
const DOLLARS = {
  workerRequest: 0.3 / MILLION,
  objectRequest: 0.15 / MILLION,
  rowWritten: 1 / MILLION,
  rowRead: 0.001 / MILLION,
  gigabyteSecond: 12.5 / MILLION,
};
/** Of memory, whatever an object uses. */
const OBJECT_GIGABYTES = 0.128;

export type Use = Pick<UsageFigures, "requests" | "bytes" | "rowsRead" | "rowsWritten" | "busyMs" | "idleMs">;

/** What storage and objects cost: everything beyond ingress. */
export function objectDollars({ requests, rowsRead, rowsWritten, busyMs }: Use): number {
  return (
    requests * DOLLARS.objectRequest +
    rowsWritten * DOLLARS.rowWritten +
    rowsRead * DOLLARS.rowRead +
    durationDollars(busyMs)
  );
}

export function durationDollars(milliseconds: number): number {
  return (milliseconds / 1000) * OBJECT_GIGABYTES * DOLLARS.gigabyteSecond;
}

/** Requests of the Worker; its CPU time cannot be told apart from that of the objects here, and is left out. */
export function ingressDollars(httpRequests: number): number {
  return httpRequests * DOLLARS.workerRequest;
}
