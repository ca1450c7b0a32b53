/** Batches of transfers, made before they are timed. */
import { accountName, type Draw, type Random } from "./accounts.ts";

export const BATCH_LINES = 500;
const MAX_AMOUNT = 9;

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
    from[line] = draw();
    to[line] = anotherThan(from[line]!, draw);
    amount[line] = 1 + Math.floor(random() * MAX_AMOUNT);
    const input = `{"to":"${accountName(to[line]!)}","amount":${amount[line]}}`;
    body += `{"service":"account","key":"${accountName(from[line]!)}","function":"transfer","input":${input}}\n`;
  }
  return { from, to, amount, body: Buffer.from(body) };
}

export function makeBatches(count: number, draw: Draw, random: Random): Batch[] {
  return Array.from({ length: count }, () => makeBatch(draw, random));
}

function anotherThan(account: number, draw: Draw): number {
  let other = draw();
  while (other === account) other = draw();
  return other;
}

/** Share of the transfers whose two accounts are kept by different partitions. */
export function shareAcross(batches: readonly Batch[], partitions: Uint16Array): number {
  let across = 0;
  for (const { from, to } of batches)
    for (let line = 0; line < BATCH_LINES; line++) if (partitions[from[line]!] !== partitions[to[line]!]) across += 1;
  return across / (batches.length * BATCH_LINES);
}
