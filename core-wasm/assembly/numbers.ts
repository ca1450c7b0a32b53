/** Values of JSON numbers: exact int64 and correctly rounded float64, grammar and value in one pass. */
import { lastMaskOf } from "./bytes";
import { BAD_NUMBER, fail } from "./json/fault";

/** The float nearest to the decimal text at `at`; only for what the fast path cannot decide. JavaScript's `Number` rounds every input correctly. */
declare function parseF64(at: usize, length: usize): f64;

/** How a number fits an `i64` column. */
export const FITS: u32 = 0;
export const NOT_INTEGRAL: u32 = 1;
export const BEYOND_RANGE: u32 = 2;

/** Largest number of decimal digits that a u64 holds whatever they are. */
const KEPT_DIGITS: i32 = 19;
/** Integers up to 2^53 and powers of ten up to 10^22 are exact floats: one rounding then gives the nearest (Clinger, PLDI 1990). */
const EXACT_MANTISSA: u64 = 1 << 53;
const EXACT_POWER: i64 = 22;
/** Beyond it an exponent's digits no longer matter: no text is long enough to balance it. */
const EXPONENT_CAP: i64 = 1_000_000_000_000;

const POWERS = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]);
/** Value of the last integer that `asInteger` read. */
export let integer: i64 = 0;
/** Value of the last float that `asFloat` read. */
export let float: f64 = 0;

// The number that `scanNumber` saw last: sign * (mantissa * 10^exponent + a rest when digits were dropped).
let negative: bool = false;
let mantissa: u64 = 0;
let exponent: i64 = 0;
/** A digit other than 0 did not fit into the mantissa. */
let inexact: bool = false;
/** Power of ten of the last such digit. */
let lowest: i64 = 0;
let digitsStart: usize = 0;
let digitsEnd: usize = 0;

// Constants of 16 bytes. As loads they cost one instruction; V8 builds a literal anew, in three or four, at each use.
const ZEROS = memory.data<u64>([0x3030303030303030, 0x3030303030303030]);
const NINES = memory.data<u64>([0x0909090909090909, 0x0909090909090909]);
const TENS = memory.data<u16>([10, 10, 10, 10, 10, 10, 10, 10]);
const LOW_BYTES = memory.data<u16>([255, 255, 255, 255, 255, 255, 255, 255]);
const HUNDREDS = memory.data<u16>([100, 1, 100, 1, 100, 1, 100, 1]);
const MYRIADS = memory.data<u16>([10000, 1, 10000, 1, 10000, 1, 10000, 1]);

/** Digits of a short number; one more might not fit the 16 bytes that are looked at. */
const SHORT_DIGITS: usize = 15;

/**
 * Behind the plain integer of up to 15 digits at `first`, behind its sign, or 0 when it is something else: then `scanNumber` decides. Where
 * the next value begins hangs on this and on nothing before it but `first`: a sign that was looked at here would hold up all that follows.
 */
export function shortNumber(first: usize): usize {
  const text = v128.load(first);
  // A digit becomes 0 to 9, other ASCII more, and what is beyond ASCII keeps its top bit.
  const others = v128.or(text, i8x16.gt_s(v128.xor(text, v128.load(ZEROS)), v128.load(NINES)));
  const count = <usize>ctz<u32>(i8x16.bitmask(others) | 0x10000);
  const next: u32 = load<u8>(first + count);
  if (count - 1 >= SHORT_DIGITS) return 0;
  if (next != 0x2c && (next == 0x2e || (next | 0x20) == 0x65)) return 0;
  if (count > 1 && load<u8>(first) == 0x30) return 0;
  return first + count;
}

/** Value of the short number between `first` and `end`: its digits at the right end of 16 bytes, summed up by pairs, fours and eights. */
export function shortInteger(first: usize, end: usize): i64 {
  const digits = v128.xor(v128.load(end - 16), v128.load(ZEROS));
  const aligned = v128.and(digits, lastMaskOf(end - first));
  const tens = i16x8.mul(aligned, v128.load(TENS));
  const pairs = v128.and(i16x8.add(tens, i16x8.shr_u(aligned, 8)), v128.load(LOW_BYTES));
  const fours = i32x4.dot_i16x8_s(pairs, v128.load(HUNDREDS));
  const short = i16x8.narrow_i32x4_u(fours, fours);
  const eights = i32x4.dot_i16x8_s(short, v128.load(MYRIADS));
  const both = i64x2.extract_lane(eights, 0);
  return (both & 0xffffffff) * 100000000 + (both >>> 32);
}

function isDigit(byte: u32): bool {
  return byte - 0x30 <= 9;
}

/** Digits before the point; keeps the first 19 that count. */
function scanWhole(at: usize): usize {
  let value: u64 = 0;
  let kept = 0;
  let dropped: i64 = 0;
  let lastAt: usize = 0;
  let byte: u32 = load<u8>(at);
  do {
    const digit = <u64>(byte - 0x30);
    if (kept < KEPT_DIGITS) {
      value = value * 10 + digit;
      kept += <i32>(value != 0);
    } else {
      dropped++;
      if (digit != 0) lastAt = at;
    }
    byte = load<u8>(++at);
  } while (isDigit(byte));
  mantissa = value;
  exponent = dropped;
  inexact = lastAt != 0;
  lowest = lastAt != 0 ? <i64>(at - 1 - lastAt) : 0;
  return at;
}

/** Digits behind the point; `at` is at the first. */
function scanFraction(at: usize): usize {
  const start = at;
  let value = mantissa;
  let power = exponent;
  let byte: u32 = load<u8>(at);
  if (!isDigit(byte)) return fail(BAD_NUMBER, at);
  do {
    const digit = <u64>(byte - 0x30);
    // Below 10^18 one more digit always fits; digits dropped before the point bar those behind it.
    if (value < 1_000_000_000_000_000_000 && exponent == 0) {
      value = value * 10 + digit;
      power--;
    } else if (digit != 0) {
      inexact = true;
      lowest = -(<i64>(at - start + 1));
    }
    byte = load<u8>(++at);
  } while (isDigit(byte));
  mantissa = value;
  exponent = power;
  return at;
}

/** Exponent; `at` is behind the "e". */
function scanExponent(at: usize): usize {
  const sign: u32 = load<u8>(at);
  if (sign == 0x2b || sign == 0x2d) at++;
  let byte: u32 = load<u8>(at);
  if (!isDigit(byte)) return fail(BAD_NUMBER, at);
  let value: i64 = 0;
  do {
    if (value < EXPONENT_CAP) value = value * 10 + <i64>(byte - 0x30);
    byte = load<u8>(++at);
  } while (isDigit(byte));
  if (sign == 0x2d) value = -value;
  exponent += value;
  lowest += value;
  return at;
}

/** Any JSON number from its sign or first digit; returns its end, or 0 when it breaks the grammar. Its value is then read by `asInteger` or `asFloat`. */
export function scanNumber(at: usize): usize {
  digitsStart = at;
  negative = load<u8>(at) == 0x2d;
  if (negative) at++;
  if (!isDigit(load<u8>(at))) return fail(BAD_NUMBER, at);
  if (load<u8>(at) == 0x30 && isDigit(load<u8>(at, 1))) return fail(BAD_NUMBER, at + 1);
  at = scanWhole(at);
  if (load<u8>(at) == 0x2e) {
    at = scanFraction(at + 1);
    if (at == 0) return 0;
  }
  if ((load<u8>(at) | 0x20) == 0x65) {
    at = scanExponent(at + 1);
    if (at == 0) return 0;
  }
  digitsEnd = at;
  return at;
}

/** Puts the scanned number into `integer` when it is integral and within int64, whatever its spelling: 5.0, 1e3, 120e-1. */
export function asInteger(): u32 {
  if (inexact) return lowest < 0 ? NOT_INTEGRAL : BEYOND_RANGE;
  let value = mantissa;
  let power = exponent;
  if (value == 0) {
    integer = 0;
    return FITS;
  }
  for (; power < 0; power++) {
    if (value % 10 != 0) return NOT_INTEGRAL;
    value /= 10;
  }
  for (; power > 0; power--) {
    if (value > u64.MAX_VALUE / 10) return BEYOND_RANGE;
    value *= 10;
  }
  const limit = <u64>i64.MAX_VALUE + <u64>negative;
  if (value > limit) return BEYOND_RANGE;
  integer = negative ? <i64>(0 - value) : <i64>value;
  return FITS;
}

/** Puts the nearest float of the scanned number into `float`; false when that is infinite. */
export function asFloat(): bool {
  let value: f64;
  if (!inexact && exponent == 0) {
    value = <f64>mantissa;
  } else if (!inexact && mantissa <= EXACT_MANTISSA && exponent >= -EXACT_POWER && exponent <= EXACT_POWER) {
    value = <f64>mantissa;
    if (exponent < 0) value /= load<f64>(POWERS + ((<usize>-exponent) << 3));
    else value *= load<f64>(POWERS + ((<usize>exponent) << 3));
  } else {
    const from = digitsStart + <usize>negative;
    value = parseF64(from, digitsEnd - from);
  }
  float = negative ? -value : value;
  return isFinite<f64>(value);
}
