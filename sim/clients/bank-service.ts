/** A bank: transfers move money between accounts and never make or lose any. */
import { contract, fn, query, service, type ServiceDefinition } from "../../sdk/index.ts";
import { counted } from "../world/functions.ts";
import { anything } from "./schema.ts";

export const OPENING_BALANCE = 100;

interface Transfer {
  readonly to: string;
  readonly amount: number;
  /** ms between the two accounts. */
  readonly pause: number;
}
interface Audit {
  readonly accounts: readonly string[];
}
/** Balances by account. */
export type Balances = Record<string, number>;

const refusals = { short: anything<{ balance: number }>() };

export const bank = contract("bank", {
  transfer: fn({ input: anything<Transfer>(), output: anything<Balances>(), refusals }),
  credit: fn({ input: anything<number>(), output: anything<number>() }),
  audit: query({ input: anything<Audit>(), output: anything<Balances>() }),
  balance: query({ output: anything<number>() }),
});

export function bankService(): ServiceDefinition {
  return service(
    bank,
    { state: () => ({ balance: OPENING_BALANCE }) },
    {
      transfer: (ctx, { to, amount, pause }) =>
        counted(async (host) => {
          if (ctx.state.balance < amount) throw ctx.refuse("short", { balance: ctx.state.balance });
          ctx.state.balance -= amount;
          const left = ctx.state.balance;
          if (pause > 0) await host.pause(pause);
          return { [ctx.key]: left, [to]: await ctx.call(bank, to).credit(amount) };
        }),
      credit: (ctx, amount) => (ctx.state.balance += amount),
      audit: (ctx, { accounts }) =>
        counted(async () => {
          const balances = await Promise.all(
            accounts.map((account) => (account === ctx.key ? ctx.state.balance : ctx.call(bank, account).balance())),
          );
          return Object.fromEntries(accounts.map((account, index) => [account, balances[index] as number]));
        }),
      balance: (ctx) => ctx.state.balance,
    },
  );
}
