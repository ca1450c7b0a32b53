/** Why and where a scan failed: two globals, set by whoever finds the fault and read by the façade through `faultCode` and `faultAddress`. */

export const EMPTY: u32 = 1;
export const UNEXPECTED_BYTE: u32 = 2;
export const UNEXPECTED_END: u32 = 3;
export const UNTERMINATED_STRING: u32 = 4;
export const CONTROL_CHARACTER: u32 = 5;
export const BAD_ESCAPE: u32 = 6;
export const BAD_NUMBER: u32 = 7;
export const BAD_UTF8: u32 = 8;
export const TOO_DEEP: u32 = 9;
export const TRAILING_BYTES: u32 = 10;
export const BAD_SURROGATE: u32 = 11;
// From here on the JSON is sound, but not what was asked for.
export const MISSING: u32 = 12;
export const WRONG_TYPE: u32 = 13;
export const OUT_OF_RANGE: u32 = 14;
export const NOT_OBJECT: u32 = 15;
export const EMPTY_MEMBER: u32 = 16;
export const KEY_TOO_LARGE: u32 = 17;
export const LINE_TOO_LARGE: u32 = 18;
export const UNSUPPORTED: u32 = 19;
export const WRONG_VERSION: u32 = 20;
export const NOT_JSON: u32 = 21;
export const COLUMNS_TOO_LARGE: u32 = 22;

let code: u32 = 0;
let address: usize = 0;

/** Notes the fault and returns 0, the "no" of every scan. */
export function fail(why: u32, at: usize): usize {
  code = why;
  address = at;
  return 0;
}

/** Code of the last fault; numbers as in facade/json.ts. */
export function faultCode(): u32 {
  return code;
}

/** Address of the byte at which the text stops being JSON. */
export function faultAddress(): usize {
  return address;
}
