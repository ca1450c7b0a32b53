/** The same as a Tidegate service. */
import { contract, fn, query, service, tidegate } from "../../index.ts";
import { z } from "zod/mini";

const Account = contract("account", {
  deposit: fn({ input: z.object({ amount: z.number() }), output: z.number() }),
  balance: query({ output: z.number() }),
});

const account = service(
  Account,
  { state: () => ({ balance: 0 }) },
  {
    deposit(ctx, { amount }) {
      return (ctx.state.balance += amount);
    },
    balance: (ctx) => ctx.state.balance,
  },
);

const app = tidegate({ services: [account], partitions: 4 });
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
