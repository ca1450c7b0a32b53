/** Batches of transfers, made before they are timed. */
import { accountName, type Draw, drawTransfer, type Random } from "./accounts.ts";

export const BATCH_LINES = 500;

/** The accounts and the amounts of a batch's lines, and the NDJSON that asks for them. */
export interface Batch {
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly amount: Uint8Array;
  readonly body: Buffer;
}

export function makeBatch(draw: Draw, random: Random): Batch {
  const from = new Uint32Array(BATCH_LINES);
  const to = new Uint32Array(BATCH_LINES);
  const amount = new Uint8Array(BATCH_LINES);
  let body = "";
  for (let line = 0; line < BATCH_LINES; line++) {
    const drawn = drawTransfer(draw, random);
    from[line] = drawn.from;
    to[line] = drawn.to;
    amount[line] = drawn.amount;
    const input = `{"to":"${accountName(drawn.to)}","amount":${drawn.amount}}`;
    body += `{"service":"account","key":"${accountName(drawn.from)}","function":"transfer","input":${input}}\n`;
  }
  return { from, to, amount, body: Buffer.from(body) };
}

export function makeBatches(count: number, draw: Draw, random: Random): Batch[] {
  return Array.from({ length: count }, () => makeBatch(draw, random));
}

/** Share of the transfers whose two accounts are kept by different partitions. */
export function shareAcross(batches: readonly Batch[], partitions: Uint16Array): number {
  let across = 0;
  for (const { from, to } of batches)
    for (let line = 0; line < BATCH_LINES; line++) if (partitions[from[line]!] !== partitions[to[line]!]) across += 1;
  return across / (batches.length * BATCH_LINES);
}
