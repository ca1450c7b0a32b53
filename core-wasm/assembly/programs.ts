/**
 * Column programs: arithmetic, comparisons and conditions over columns of doubles, a block of rows at a time, so that what an instruction
 * writes is in the cache when the next one reads it. A register holds a block: doubles, or conditions as 64 bits, all set or none.
 */
import {
  ABS,
  ADD,
  ADD_FLOAT,
  AND,
  BLOCK_ROWS,
  DIV,
  DIV_FLOAT,
  EQ,
  FLOOR_DIV,
  GE,
  GT,
  INSTRUCTION_WORDS,
  LE,
  LT,
  MAX_WHOLE,
  MOD,
  MODULO,
  MUL,
  MUL_FLOAT,
  NE,
  NOT,
  OR,
  SELECT,
  SUB,
  SUB_FLOAT,
  TRUNC,
  XOR,
} from "../column-program";
import { scratch } from "./memory";

const BLOCK_BYTES: usize = BLOCK_ROWS << 3;

/** Lanes in which a whole number was beyond MAX_WHOLE. */
let beyond: v128 = i64x2.splat(0);

/** A whole result: never a negative zero. */
function whole(value: v128): v128 {
  const result = f64x2.add(value, f64x2.splat(0));
  beyond = v128.or(beyond, f64x2.gt(f64x2.abs(result), f64x2.splat(<f64>MAX_WHOLE)));
  return result;
}

/** A double, or 0 where it is not finite: then its difference to itself is no number. */
function finite(value: v128): v128 {
  return v128.and(value, f64x2.eq(f64x2.sub(value, value), f64x2.splat(0)));
}

/** Where the divisor is not 0, else 0. */
function divided(value: v128, by: v128): v128 {
  return v128.and(value, f64x2.ne(by, f64x2.splat(0)));
}

/** One instruction over a block of `bytes` bytes, a multiple of 16. */
function run(op: u32, to: usize, a: usize, b: usize, c: usize, bytes: usize): void {
  const end = to + bytes;
  switch (op) {
    case ADD:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, whole(f64x2.add(v128.load(a), v128.load(b))));
      break;
    case SUB:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, whole(f64x2.sub(v128.load(a), v128.load(b))));
      break;
    case MUL:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, whole(f64x2.mul(v128.load(a), v128.load(b))));
      break;
    case DIV:
      // A quotient below 2^53 is never rounded up to the next whole number: that is further from it than half of its last bit.
      for (; to < end; to += 16, a += 16, b += 16) {
        const by = v128.load(b);
        v128.store(to, whole(divided(f64x2.trunc(f64x2.div(v128.load(a), by)), by)));
      }
      break;
    case MOD:
      for (; to < end; to += 16, a += 16, b += 16) {
        const by = v128.load(b);
        const value = v128.load(a);
        const times = f64x2.trunc(f64x2.div(value, by));
        v128.store(to, whole(divided(f64x2.sub(value, f64x2.mul(times, by)), by)));
      }
      break;
    case TRUNC:
      for (; to < end; to += 16, a += 16) v128.store(to, whole(f64x2.trunc(v128.load(a))));
      break;
    case ADD_FLOAT:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, finite(f64x2.add(v128.load(a), v128.load(b))));
      break;
    case SUB_FLOAT:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, finite(f64x2.sub(v128.load(a), v128.load(b))));
      break;
    case MUL_FLOAT:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, finite(f64x2.mul(v128.load(a), v128.load(b))));
      break;
    case DIV_FLOAT:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, finite(f64x2.div(v128.load(a), v128.load(b))));
      break;
    case ABS:
      for (; to < end; to += 16, a += 16) v128.store(to, f64x2.abs(v128.load(a)));
      break;
    case FLOOR_DIV:
      for (; to < end; to += 16, a += 16, b += 16)
        v128.store(to, whole(f64x2.floor(f64x2.div(v128.load(a), v128.load(b)))));
      break;
    case MODULO:
      for (; to < end; to += 16, a += 16, b += 16) {
        const by = v128.load(b);
        const value = v128.load(a);
        // By way of what MOD leaves: floor times b may be beyond the whole numbers.
        const left = f64x2.sub(value, f64x2.mul(f64x2.trunc(f64x2.div(value, by)), by));
        v128.store(to, whole(f64x2.add(left, v128.and(by, f64x2.lt(left, f64x2.splat(0))))));
      }
      break;
    case EQ:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, f64x2.eq(v128.load(a), v128.load(b)));
      break;
    case NE:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, f64x2.ne(v128.load(a), v128.load(b)));
      break;
    case LT:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, f64x2.lt(v128.load(a), v128.load(b)));
      break;
    case LE:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, f64x2.le(v128.load(a), v128.load(b)));
      break;
    case GT:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, f64x2.gt(v128.load(a), v128.load(b)));
      break;
    case GE:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, f64x2.ge(v128.load(a), v128.load(b)));
      break;
    case AND:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, v128.and(v128.load(a), v128.load(b)));
      break;
    case OR:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, v128.or(v128.load(a), v128.load(b)));
      break;
    case XOR:
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, v128.xor(v128.load(a), v128.load(b)));
      break;
    case NOT:
      for (; to < end; to += 16, a += 16) v128.store(to, v128.not(v128.load(a)));
      break;
    case SELECT:
      for (; to < end; to += 16, a += 16, b += 16, c += 16)
        v128.store(to, v128.bitselect(v128.load(a), v128.load(b), v128.load(c)));
      break;
    default:
      assert(false);
  }
}

/** Conditions of bytes that are 0 or 1. */
function spread(from: usize, to: usize, rows: usize): void {
  for (let row: usize = 0; row < rows; row++) store<i64>(to + (row << 3), -(<i64>load<u8>(from + row)));
}

/** Address of a register. */
function registerAt(table: usize, index: u32): usize {
  return <usize>load<u32>(table + ((<usize>index) << 2));
}

/**
 * Runs a program over `rows` rows. Registers are `constants` constants (f64 at `values`), then `columns` columns (at `inputs`: address u32,
 * and 1 where it is of bytes that are conditions, u32), then what instructions write. The result, of bytes when `conditions` is set, is
 * written to `out`; it is void, and false is returned, when a whole number was beyond MAX_WHOLE.
 */
export function runProgram(
  code: usize,
  instructions: u32,
  values: usize,
  constants: u32,
  inputs: usize,
  columns: u32,
  result: u32,
  conditions: bool,
  rows: usize,
  out: usize,
): bool {
  const registers = constants + columns + instructions;
  const table = scratch((<usize>registers) << 2);
  for (let index: u32 = 0; index < registers; index++) {
    const isColumn = index - constants < columns;
    const column = inputs + ((<usize>(index - constants)) << 3);
    const own = !isColumn || load<u32>(column, 4) != 0;
    store<u32>(table + ((<usize>index) << 2), <u32>(own ? scratch(BLOCK_BYTES) : load<u32>(column)));
  }
  for (let index: u32 = 0; index < constants; index++) {
    const at = registerAt(table, index);
    const value = f64x2.splat(load<f64>(values + ((<usize>index) << 3)));
    for (let lane: usize = 0; lane < BLOCK_BYTES; lane += 16) v128.store(at + lane, value);
  }
  beyond = i64x2.splat(0);
  for (let row: usize = 0; row < rows; row += BLOCK_ROWS) {
    const some = min<usize>(BLOCK_ROWS, rows - row);
    const bytes = ((some + 1) & ~1) << 3;
    for (let index: u32 = 0; index < columns; index++) {
      const column = inputs + ((<usize>index) << 3);
      if (load<u32>(column, 4))
        spread(<usize>load<u32>(column) + row, registerAt(table, constants + index), bytes >> 3);
    }
    for (let index: u32 = 0; index < instructions; index++) {
      const word = code + <usize>index * (INSTRUCTION_WORDS << 2);
      run(
        load<u32>(word),
        registerAt(table, load<u32>(word, 4)),
        registerAt(table, load<u32>(word, 8)),
        registerAt(table, load<u32>(word, 12)),
        registerAt(table, load<u32>(word, 16)),
        bytes,
      );
    }
    const from = registerAt(table, result);
    if (conditions) for (let i: usize = 0; i < some; i++) store<u8>(out + row + i, load<u8>(from + (i << 3)) & 1);
    else memory.copy(out + (row << 3), from, some << 3);
    // Columns of doubles are read where they are.
    for (let index: u32 = 0; index < columns; index++) {
      if (load<u32>(inputs + ((<usize>index) << 3), 4)) continue;
      const entry = table + ((<usize>(constants + index)) << 2);
      store<u32>(entry, load<u32>(entry) + <u32>BLOCK_BYTES);
    }
  }
  return !v128.any_true(beyond);
}
