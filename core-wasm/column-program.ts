/** Programs over columns: what the kernel and its twin agree on. Plain numbers, so that AssemblyScript can read this file too. */

/** Rows that are worked on at a time: so few that all registers stay in the processor's cache. */
export const BLOCK_ROWS = 128;
/** Registers of a program, constants and columns among them. */
export const MAX_REGISTERS = 64;
/** Words of an instruction: its number, the register that it writes, and those that it reads. */
export const INSTRUCTION_WORDS = 5;
/** Largest whole number up to which all are doubles. */
export const MAX_WHOLE = 9007199254740991;

/** Whole numbers: a result beyond MAX_WHOLE ends the program, and a negative zero becomes zero. What is divided by 0 is 0; quotients are cut towards 0. */
export const ADD = 0;
export const SUB = 1;
export const MUL = 2;
export const DIV = 3;
export const MOD = 4;
/** Of a double, cut towards 0. */
export const TRUNC = 5;
/** Doubles: what is not finite becomes 0. */
export const ADD_FLOAT = 6;
export const SUB_FLOAT = 7;
export const MUL_FLOAT = 8;
export const DIV_FLOAT = 9;
/** Numbers of both kinds. */
export const ABS = 10;
/** floor(a / b), and what is left of a then: from 0 to below b. Both are whole, b above 0. */
export const FLOOR_DIV = 11;
export const MODULO = 12;
/** Comparisons give conditions. */
export const EQ = 13;
export const NE = 14;
export const LT = 15;
export const LE = 16;
export const GT = 17;
export const GE = 18;
/** Conditions. */
export const AND = 19;
export const OR = 20;
export const XOR = 21;
export const NOT = 22;
/** a where the condition c holds, else b: numbers or conditions. */
export const SELECT = 23;
export const INSTRUCTIONS = 24;
