/** Limits of `verify`: it puts no more load on a deployed Worker than it says. */

export const SECONDS = { default: 10, most: 600 };
export const TRANSACTIONS = { default: 2_000, most: 100_000 };
export const CLIENTS = { default: 16, most: 128 };

/** Accounts and what each begins with, and lists that are in use at a time. */
export const ACCOUNTS = 20;
export const OPENING = 100;
export const LISTS = 24;
/** A list that was appended to so often is replaced by a new one: reads stay short, and old orders stay told. */
export const LIST_APPENDS = 60;
/** Steps of a transaction on lists at most. */
export const OPERATIONS = 4;
/** Keys read or cleared by one request. */
export const KEYS_AT_ONCE = 16;
