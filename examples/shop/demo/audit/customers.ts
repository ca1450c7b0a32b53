/** Accounts and carts, compared with what is remembered of their customers. */
import type { Customer } from "../customer.ts";
import { differs, type Findings } from "../findings.ts";
import type { Http } from "../http.ts";
import { ask } from "./ask.ts";

/** Returns the money that is stored in the accounts, in cents. */
export async function auditCustomers(
  http: Http,
  findings: Findings,
  customers: readonly Customer[],
  whose: string,
): Promise<number> {
  const calls = customers.flatMap((customer) => customer.reading.map((call) => ({ customer, call })));
  const outcomes = await ask(
    http,
    calls.map(({ call }) => call),
  );
  const faults: string[] = [];
  let money = 0;
  for (const [at, { customer, call }] of calls.entries()) {
    const actual = outcomes[at];
    const name = `${call.service} "${call.key}"`;
    const fault = actual === undefined ? "cannot be read" : customer.take(call, actual);
    if (fault !== undefined) faults.push(`${name}: ${fault}`);
    if (call.service !== "account" || actual === undefined || !("result" in actual)) continue;
    const { balance } = actual.result as { readonly balance: number };
    money += balance;
    if (balance < 0) faults.push(differs(`${name} is negative`, 0, balance));
  }
  findings.check(`accounts and as many carts, ${whose}, none negative`, customers.length, faults);
  return money;
}
