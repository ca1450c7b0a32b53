/** The services behind {@link Lists} and {@link Accounts}. */
import { type FnContext, type noData, service, type ServiceDefinition } from "../sdk/index.ts";
import { Accounts, type ListOperation, Lists } from "./contracts.ts";
import { LIST_VALUES_MAX } from "./limits.ts";

type Perform = FnContext<{ values: number[] }, {}, { full: typeof noData }>;

const lists = service(
  Lists,
  { state: () => ({ values: [] as number[] }) },
  {
    async perform(ctx, { operations, atOnce }) {
      const results: Array<readonly number[] | null> = operations.map(() => null);
      // Those of one key in their order, or the history would not be what was asked for.
      const keys = atOnce ? [...new Set(operations.map(([, key]) => key))] : [null];
      await Promise.all(
        keys.map(async (key) => {
          for (const [at, operation] of operations.entries())
            if (key === null || operation[1] === key) results[at] = await perform(ctx, operation);
        }),
      );
      return results;
    },
    append(ctx, { value }) {
      if (ctx.state.values.length >= LIST_VALUES_MAX) throw ctx.refuse("full");
      ctx.state.values.push(value);
    },
    read: (ctx) => [...ctx.state.values],
    readAll: (ctx, { keys }) => Promise.all(keys.map((key) => ctx.call(Lists, key).read())),
    clear: (ctx) => ctx.clear(),
  },
);

async function perform(ctx: Perform, [op, key, value]: ListOperation): Promise<readonly number[] | null> {
  if (op === "read") return ctx.call(Lists, key).read();
  await ctx.call(Lists, key).append({ value });
  return null;
}

const accounts = service(
  Accounts,
  { state: () => ({ balance: 0 }) },
  {
    open(ctx, { amount }) {
      ctx.state.balance = amount;
    },
    async transfer(ctx, { to, amount }) {
      if (ctx.state.balance < amount) throw ctx.refuse("overdrawn");
      ctx.state.balance -= amount;
      await ctx.call(Accounts, to).deposit({ amount });
    },
    deposit(ctx, { amount }) {
      ctx.state.balance += amount;
    },
    balance: (ctx) => ctx.state.balance,
    balances: (ctx, { keys }) => Promise.all(keys.map((key) => ctx.call(Accounts, key).balance())),
    clear: (ctx) => ctx.clear(),
  },
);

/**
 * Services for `npx tidegate verify`, to be deployed beside one's own:
 *
 * ```ts
 * const app = tidegate({ services: [account, ...verification] });
 * ```
 */
export const verification: readonly ServiceDefinition[] = [lists, accounts];
