/** The bank: transfers between accounts keep the sum, so that every consistent view of all accounts shows the same total. */
import type { Finding } from "./finding.ts";

export type BankAnomaly = "wrong-total" | "negative-balance" | "missing-account" | "unknown-account";

export type Balances = Readonly<Record<string, number>>;

export interface BankHistory {
  /** What each account had before the first transfer. */
  readonly opened: Balances;
  /** What read-only transactions or snapshots over all accounts saw, by their names. */
  readonly snapshots: readonly { readonly name: string; readonly balances: Balances }[];
  /** What is left when everything has drained. */
  readonly end: Balances;
}

export function checkBank({ opened, snapshots, end }: BankHistory): Finding<BankAnomaly>[] {
  return [...snapshots, { name: "the end", balances: end }].flatMap(({ name, balances }) => [
    ...accounts(name, opened, balances),
    ...negative(name, balances),
    ...total(name, opened, balances),
  ]);
}

function accounts(name: string, opened: Balances, balances: Balances): Finding<BankAnomaly>[] {
  const missing = Object.keys(opened).filter((account) => !Object.hasOwn(balances, account));
  const unknown = Object.keys(balances).filter((account) => !Object.hasOwn(opened, account));
  return [
    ...missing.map((account) => finding("missing-account", `${name} does not show ${account}`, name)),
    ...unknown.map((account) => finding("unknown-account", `${name} shows ${account}, which nobody opened`, name)),
  ];
}

function negative(name: string, balances: Balances): Finding<BankAnomaly>[] {
  return Object.entries(balances)
    .filter(([, balance]) => balance < 0)
    .map(([account, balance]) => finding("negative-balance", `${name} shows ${balance} in ${account}`, name));
}

/** Not a number is no total either. */
function total(name: string, opened: Balances, balances: Balances): Finding<BankAnomaly>[] {
  const [expected, shown] = [sum(opened), sum(balances)];
  if (shown === expected) return [];
  return [finding("wrong-total", `${name} shows ${shown} in all, ${expected} were opened: ${text(balances)}`, name)];
}

function sum(balances: Balances): number {
  return Object.values(balances).reduce((all, balance) => all + balance, 0);
}

function text(balances: Balances): string {
  return Object.entries(balances)
    .map(([account, balance]) => `${account} ${balance}`)
    .join(", ");
}

function finding(anomaly: BankAnomaly, explanation: string, name: string): Finding<BankAnomaly> {
  return { anomaly, explanation, operations: [name] };
}
