/** Limits of what one call of the verification's services may ask for: whoever has the token may call them. */

export const OPERATIONS_MAX = 16;
export const KEYS_MAX = 64;
export const KEY_CHARACTERS = 100;
/** Values that one list holds: further ones are refused, so that a list that nobody clears stays small. */
export const LIST_VALUES_MAX = 2_000;
export const AMOUNT_MAX = 1_000_000;
