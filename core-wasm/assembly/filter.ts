/** Filters: each test of a conjunction clears bits of a bitmap, eight rows at a time; what is left becomes a list of row numbers. */
import { sameBytes } from "./bytes";
import { Column, F64, I64, TEXT, columnAt, hasRepeats, stringAt, stringEnd } from "./columns";
import { scratch } from "./memory";

/** A test, as the façade writes it: column u32 | operator u32 | value (i64, f64, or offset u32 and length u32 of a string behind the plan). */
export const TEST_BYTES: usize = 16;

const LESS: u32 = 0;
const EQUAL: u32 = 1;
const GREATER: u32 = 2;
/** Added to an operator: its opposite. No column holds a NaN, so `>=` is the opposite of `<`. */
const OPPOSITE: u32 = 4;
/** No row passes. */
const NEVER: u32 = 8;

const NO_STRING: u32 = 0xffffffff;

/** Eight 64-bit lane masks to eight bits. */
function packLongs(a: v128, b: v128, c: v128, d: v128): u32 {
  const low = i8x16.shuffle(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
  const high = i8x16.shuffle(c, d, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
  return i16x8.bitmask(i16x8.narrow_i32x4_s(low, high));
}

function testLongs(data: usize, bits: usize, eights: usize, operator: u32, value: i64, flip: u32): void {
  const bound = i64x2.splat(value);
  for (let i: usize = 0; i < eights; i++, data += 64) {
    const a = v128.load(data);
    const b = v128.load(data, 16);
    const c = v128.load(data, 32);
    const d = v128.load(data, 48);
    let pass: u32;
    if (operator == LESS) {
      pass = packLongs(i64x2.lt_s(a, bound), i64x2.lt_s(b, bound), i64x2.lt_s(c, bound), i64x2.lt_s(d, bound));
    } else if (operator == GREATER) {
      pass = packLongs(i64x2.gt_s(a, bound), i64x2.gt_s(b, bound), i64x2.gt_s(c, bound), i64x2.gt_s(d, bound));
    } else {
      pass = packLongs(i64x2.eq(a, bound), i64x2.eq(b, bound), i64x2.eq(c, bound), i64x2.eq(d, bound));
    }
    store<u8>(bits + i, load<u8>(bits + i) & (pass ^ flip));
  }
}

function testFloats(data: usize, bits: usize, eights: usize, operator: u32, value: f64, flip: u32): void {
  const bound = f64x2.splat(value);
  for (let i: usize = 0; i < eights; i++, data += 64) {
    const a = v128.load(data);
    const b = v128.load(data, 16);
    const c = v128.load(data, 32);
    const d = v128.load(data, 48);
    let pass: u32;
    if (operator == LESS) {
      pass = packLongs(f64x2.lt(a, bound), f64x2.lt(b, bound), f64x2.lt(c, bound), f64x2.lt(d, bound));
    } else if (operator == GREATER) {
      pass = packLongs(f64x2.gt(a, bound), f64x2.gt(b, bound), f64x2.gt(c, bound), f64x2.gt(d, bound));
    } else {
      pass = packLongs(f64x2.eq(a, bound), f64x2.eq(b, bound), f64x2.eq(c, bound), f64x2.eq(d, bound));
    }
    store<u8>(bits + i, load<u8>(bits + i) & (pass ^ flip));
  }
}

function testCodes(data: usize, bits: usize, eights: usize, code: u32, flip: u32): void {
  const bound = i32x4.splat(<i32>code);
  for (let i: usize = 0; i < eights; i++, data += 32) {
    const low = i32x4.eq(v128.load(data), bound);
    const high = i32x4.eq(v128.load(data, 16), bound);
    const pass: u32 = i16x8.bitmask(i16x8.narrow_i32x4_s(low, high));
    store<u8>(bits + i, load<u8>(bits + i) & (pass ^ flip));
  }
}

/** @param row of the column */
function passes(column: Column, row: usize, operator: u32, value: usize, code: u32): bool {
  if (column.type == I64) {
    const have = load<i64>(column.data + (row << 3));
    const want = load<i64>(value);
    return operator == LESS ? have < want : operator == GREATER ? have > want : have == want;
  }
  if (column.type == F64) {
    const have = load<f64>(column.data + (row << 3));
    const want = load<f64>(value);
    return operator == LESS ? have < want : operator == GREATER ? have > want : have == want;
  }
  return load<u32>(column.data + (row << 2)) == code;
}

/** Code of a string in a column's dictionary; NO_STRING when no row has it. */
function codeOf(column: Column, text: usize, length: usize): u32 {
  for (let code: u32 = 0; code < column.strings; code++) {
    const at = stringAt(column, code);
    if (stringEnd(column, code) - at == length && sameBytes(at, text, length)) return code;
  }
  return NO_STRING;
}

/** A byte for each code of a column, 1 where its string is the text: the text may be there several times. */
function codesOf(column: Column, text: usize, length: usize): usize {
  const marks = scratch(column.strings);
  for (let code: u32 = 0; code < column.strings; code++) {
    const at = stringAt(column, code);
    store<u8>(marks + code, <u8>(stringEnd(column, code) - at == length && sameBytes(at, text, length)));
  }
  return marks;
}

function testMarked(codes: usize, bits: usize, rows: usize, marks: usize, flip: bool): void {
  for (let row: usize = 0; row < rows; row++) {
    const marked = load<u8>(marks + <usize>load<u32>(codes + (row << 2))) != 0;
    if (marked != flip) continue;
    const byte = bits + (row >> 3);
    store<u8>(byte, load<u8>(byte) & <u8>~((<u32>1) << (<u32>(row & 7))));
  }
}

function runTest(test: usize, strings: usize, from: usize, rows: usize, bits: usize): void {
  const column = columnAt(load<u32>(test));
  const operator = load<u32>(test, 4);
  const eights = rows >> 3;
  if (operator == NEVER) {
    memory.fill(bits, 0, eights + 1);
    return;
  }
  const plain = operator & 3;
  const flip: u32 = operator & OPPOSITE ? 0xff : 0;
  const value = test + 8;
  let code: u32 = NO_STRING;
  const wide = column.data + (from << 3);
  const codes = column.data + (from << 2);
  if (column.type == I64) testLongs(wide, bits, eights, plain, load<i64>(value), flip);
  else if (column.type == F64) testFloats(wide, bits, eights, plain, load<f64>(value), flip);
  else if (hasRepeats()) {
    const marks = codesOf(column, strings + load<u32>(value), load<u32>(value, 4));
    testMarked(codes, bits, rows, marks, flip != 0);
    return;
  } else {
    code = codeOf(column, strings + load<u32>(value), load<u32>(value, 4));
    testCodes(codes, bits, eights, code, flip);
  }
  for (let row = eights << 3; row < rows; row++) {
    const pass = passes(column, from + row, plain, value, code) != (flip != 0);
    if (!pass) store<u8>(bits + eights, load<u8>(bits + eights) & <u8>~((<u32>1) << (<u32>(row & 7))));
  }
}

/** Whether some test looks at texts: those are looked up in the column's dictionary, once for all rows that are tested together. */
export function testsTexts(testsAt: usize, tests: u32): bool {
  for (let i: u32 = 0; i < tests; i++) {
    if (columnAt(load<u32>(testsAt + <usize>i * TEST_BYTES)).type == TEXT) return true;
  }
  return false;
}

/**
 * Runs `tests` tests over `rows` rows of the opened frame's columns, from row `from` on, and writes the numbers of those that pass all (u32 each) to
 * `out`; returns how many. `bits` has room for a bit for each row, and 16 bytes more.
 */
export function selectRows(
  testsAt: usize,
  tests: u32,
  strings: usize,
  from: usize,
  rows: usize,
  bits: usize,
  out: usize,
): usize {
  if (tests == 0) {
    for (let row: usize = 0; row < rows; row++) store<u32>(out + (row << 2), <u32>(from + row));
    return rows;
  }
  const words = (rows + 64) >> 6;
  memory.fill(bits, 0, words << 3);
  memory.fill(bits, 0xff, rows >> 3);
  store<u8>(bits + (rows >> 3), <u8>(((<u32>1) << (<u32>(rows & 7))) - 1));
  for (let i: u32 = 0; i < tests; i++) runTest(testsAt + <usize>i * TEST_BYTES, strings, from, rows, bits);
  let at = out;
  for (let word: usize = 0; word < words; word++) {
    const first = <u32>(from + (word << 6));
    for (let left = load<u64>(bits + (word << 3)); left != 0; left &= left - 1) {
      store<u32>(at, first + <u32>ctz(left));
      at += 4;
    }
  }
  return (at - out) >> 2;
}
