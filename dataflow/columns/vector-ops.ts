/** Instructions of column programs; the kernels have the same numbers (core-wasm/column-program.ts), where it says what each does. */

export const MAX_REGISTERS = 64;
export const ADD = 0;
export const SUB = 1;
export const MUL = 2;
export const DIV = 3;
export const MOD = 4;
export const TRUNC = 5;
export const ADD_FLOAT = 6;
export const SUB_FLOAT = 7;
export const MUL_FLOAT = 8;
export const DIV_FLOAT = 9;
export const ABS = 10;
export const FLOOR_DIV = 11;
export const MODULO = 12;
export const EQ = 13;
export const NE = 14;
export const LT = 15;
export const LE = 16;
export const GT = 17;
export const GE = 18;
export const AND = 19;
export const OR = 20;
export const XOR = 21;
export const NOT = 22;
export const SELECT = 23;
