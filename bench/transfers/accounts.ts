/** Which accounts take part in a transfer: how they are drawn, what they are called, whether two live apart. */
import { murmur3 } from "../../core-wasm/reference/murmur3.ts";
import { initialMap, partitionOfHash } from "../../protocol/keygroups/map.ts";

/** What the app's `state` starts with. */
export const START_BALANCE = 1_000_000_000;

export type Random = () => number;
export type Draw = () => number;

/** How the accounts of a workload are drawn. */
export interface Skew {
  readonly name: string;
  /** Accounts that exist: 0 to this. */
  readonly accounts: number;
  draw(random: Random): Draw;
}

/** Two accounts that are not the same, and an amount. */
export interface Transfer {
  readonly from: number;
  readonly to: number;
  readonly amount: number;
}
const MAX_AMOUNT = 9;

export function drawTransfer(draw: Draw, random: Random): Transfer {
  const from = draw();
  let to = draw();
  while (to === from) to = draw();
  return { from, to, amount: 1 + Math.floor(random() * MAX_AMOUNT) };
}

export function accountName(account: number): string {
  return `acct-${account}`;
}

export function uniform(accounts: number, name = "uniform"): Skew {
  return { name, accounts, draw: (random) => () => Math.floor(random() * accounts) };
}

/** The account of rank r is drawn in proportion to r^-theta, by the exact distribution and not an approximation of it. */
export function zipf(accounts: number, theta: number): Skew {
  let cumulated: Float64Array | undefined;
  return {
    name: `zipf ${theta}`,
    accounts,
    draw: (random) => {
      cumulated ??= zipfSums(accounts, theta);
      const sums = cumulated;
      return () => firstAbove(sums, random() * (sums[accounts - 1] as number));
    },
  };
}

function zipfSums(accounts: number, theta: number): Float64Array {
  const sums = new Float64Array(accounts);
  let sum = 0;
  for (let rank = 0; rank < accounts; rank++) sums[rank] = sum += (rank + 1) ** -theta;
  return sums;
}

/** Index of the first of ascending sums that is above a value. */
function firstAbove(sums: Float64Array, value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The partition of each account, by the hash of its name and the first key-group map. */
export function partitionsOf(accounts: number, partitions: number): Uint16Array {
  const map = initialMap(partitions);
  return Uint16Array.from({ length: accounts }, (_, account) => partitionOfHash(map, murmur3(accountName(account))));
}
