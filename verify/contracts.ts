/** What `npx tidegate verify` calls: lists that are only appended to, and accounts between which money moves. */
import { contract, fn, noData, query } from "../sdk/index.ts";
import { AMOUNT_MAX, KEY_CHARACTERS, KEYS_MAX, OPERATIONS_MAX } from "./limits.ts";
import { checked, members, whole } from "./schema.ts";

/** One step of a transaction on lists. */
export type ListOperation = readonly ["append", string, number] | readonly ["read", string, null];
/** By position: the list that a read showed, `null` for an append. */
export type ListResults = ReadonlyArray<readonly number[] | null>;

const isKey = (value: unknown): boolean => typeof value === "string" && value !== "" && value.length <= KEY_CHARACTERS;
const isKeys = (value: unknown): boolean => Array.isArray(value) && value.length <= KEYS_MAX && value.every(isKey);
const isOperation = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length === 3 &&
  isKey(value[1]) &&
  ((value[0] === "append" && whole(value[2], 0, Number.MAX_SAFE_INTEGER)) ||
    (value[0] === "read" && value[2] === null));
const isNumbers = (value: unknown): boolean => Array.isArray(value) && value.every(Number.isFinite);

const number = { type: "number" };
const key = { type: "string", minLength: 1, maxLength: KEY_CHARACTERS };
const keys = checked<{ keys: readonly string[] }>((value) => isKeys(members(value)["keys"]), {
  type: "object",
  properties: { keys: { type: "array", items: key, maxItems: KEYS_MAX } },
  required: ["keys"],
});
const amount = checked<{ amount: number }>((value) => whole(members(value)["amount"], 0, AMOUNT_MAX), {
  type: "object",
  properties: { amount: { type: "integer", minimum: 0, maximum: AMOUNT_MAX } },
  required: ["amount"],
});
const list = checked<readonly number[]>(isNumbers, { type: "array", items: number });
const lists = checked<ReadonlyArray<readonly number[]>>((value) => Array.isArray(value) && value.every(isNumbers), {
  type: "array",
  items: { type: "array", items: number },
});

export const Lists = contract("tidegate-lists", {
  /** Runs under the first operation's key, and calls the others one after the other, or all at once. */
  perform: fn({
    input: checked<{ operations: readonly ListOperation[]; atOnce: boolean }>(
      (value) => {
        const { operations, atOnce } = members(value);
        const fits = Array.isArray(operations) && operations.length >= 1 && operations.length <= OPERATIONS_MAX;
        return fits && operations.every(isOperation) && typeof atOnce === "boolean";
      },
      {
        type: "object",
        properties: {
          operations: { type: "array", items: { type: "array" }, minItems: 1, maxItems: OPERATIONS_MAX },
          atOnce: { type: "boolean" },
        },
        required: ["operations", "atOnce"],
      },
    ),
    output: checked<ListResults>(
      (value) => Array.isArray(value) && value.every((one) => one === null || isNumbers(one)),
      { type: "array", items: { type: ["array", "null"], items: number } },
    ),
    refusals: { full: noData },
  }),
  append: fn({
    input: checked<{ value: number }>((value) => whole(members(value)["value"], 0, Number.MAX_SAFE_INTEGER), {
      type: "object",
      properties: { value: { type: "integer" } },
      required: ["value"],
    }),
    refusals: { full: noData },
  }),
  read: query({ output: list }),
  readAll: query({ input: keys, output: lists }),
  clear: fn({}),
});

export const Accounts = contract("tidegate-accounts", {
  open: fn({ input: amount }),
  transfer: fn({
    input: checked<{ to: string; amount: number }>(
      (value) => isKey(members(value)["to"]) && whole(members(value)["amount"], 0, AMOUNT_MAX),
      {
        type: "object",
        properties: { to: key, amount: { type: "integer", minimum: 0, maximum: AMOUNT_MAX } },
        required: ["to", "amount"],
      },
    ),
    refusals: { overdrawn: noData },
  }),
  deposit: fn({ input: amount }),
  balance: query({ output: checked<number>(Number.isFinite, number) }),
  balances: query({ input: keys, output: list }),
  clear: fn({}),
});
