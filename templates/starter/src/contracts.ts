/** What the app offers: shared with clients, which need no code of the services. Money is whole cents. */
import { contract, fn, query } from "tidegate";
import * as z from "zod";

const amount = z.int().positive();

/** Somebody's money; the key is the holder. */
export const Account = contract("account", {
  deposit: fn({ input: z.object({ amount }), output: z.int() }),
  /** Takes the amount from this account to another one: both, or neither. */
  transfer: fn({
    input: z.object({ to: z.string(), amount }),
    output: z.int(),
    refusals: { "insufficient-funds": z.object({ balance: z.int() }) },
  }),
  balance: query({ output: z.int() }),
});
