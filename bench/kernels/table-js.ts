/** The packed table's layout without Wasm, for ASCII texts: one joined text, one encode, a 32-bit checksum. */
import type { TableInput } from "../../core-wasm/types.ts";
import { murmurBytes } from "./murmur.ts";

const HEADER = 16;
const COLUMNS = 4;
const FIELDS = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Checksum, rows, then columns, lengths and texts. @throws for texts that are not ASCII */
export function packColumnar({ rows, columns, fields }: TableInput): Uint8Array {
  const text = fields.join("");
  const fixed = HEADER + 4 * (columns.length + fields.length);
  const bytes = new Uint8Array((fixed + text.length + 3) & ~3);
  const words = new Uint32Array(bytes.buffer);
  if (encoder.encodeInto(text, bytes.subarray(fixed)).written !== text.length) throw new Error("not ASCII");
  words[1] = rows;
  words[2] = text.length;
  words.set(columns, HEADER / 4);
  let at = HEADER / 4 + columns.length;
  for (const field of fields) words[at++] = field.length;
  words[0] = murmurBytes(bytes, 4, bytes.length);
  return bytes;
}

/** Verifies, reads every cell, and returns the sum of the numbers and of the texts' lengths. */
export function unpackColumnar(bytes: Uint8Array): number {
  const words = new Uint32Array(bytes.buffer);
  if (words[0] !== murmurBytes(bytes, 4, bytes.length)) throw new Error("damaged");
  const rows = words[1] as number;
  const lengths = HEADER / 4 + rows * COLUMNS;
  const fixed = 4 * (lengths + rows * FIELDS);
  const text = decoder.decode(bytes.subarray(fixed, fixed + (words[2] as number)));
  let sum = 0;
  let start = 0;
  for (let at = HEADER / 4; at < lengths; at++) sum += words[at] as number;
  for (let field = 0; field < rows * FIELDS; field++) {
    const end = start + (words[lengths + field] as number);
    sum += text.slice(start, end).length;
    start = end;
  }
  return sum;
}
