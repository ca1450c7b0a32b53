/** Functions of the engine's own: they lock, write and commit as those of services do, and are given the machine in the place of a user's context. */
import type { FunctionContract } from "../../sdk/contract.ts";
import type { Schema } from "../../sdk/schema.ts";
import type { Activation } from "../transaction/attempt.ts";
import type { Transactions } from "../transaction/transactions.ts";

/** What such a function is given as its context. Its input is the text that it was called with, as it is. */
export interface InternalContext {
  readonly transactions: Transactions;
  readonly activation: Activation;
}

const anything: Schema = { "~standard": { version: 1, vendor: "tidegate", validate: (value) => ({ value }) } };

export const INTERNAL_FN: FunctionContract = { kind: "fn", input: anything, output: anything, refusals: {} };
export const INTERNAL_QUERY: FunctionContract = { ...INTERNAL_FN, kind: "query" };
