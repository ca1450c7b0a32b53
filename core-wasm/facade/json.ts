/** JSON checking in Wasm, and the words for the kernels' fault codes. */
import type { JsonFault } from "../types.ts";
import type { CoreInstance } from "./instance.ts";

interface JsonFunctions {
  checkJson(text: number, length: number): number;
  faultCode(): number;
  faultAddress(): number;
}

/** Words of assembly/json/fault.ts, by its numbers. */
const FAULT_WORDS: readonly string[] = [
  "none",
  "empty",
  "unexpected-byte",
  "unexpected-end",
  "unterminated-string",
  "control-character",
  "bad-escape",
  "bad-number",
  "bad-utf8",
  "too-deep",
  "trailing-bytes",
  "bad-surrogate",
  "missing",
  "wrong-type",
  "out-of-range",
  "not-object",
  "empty-member",
  "key-too-large",
  "line-too-large",
  "unsupported",
  "wrong-version",
  "not-json",
  "columns-too-large",
];

/** The stable word for a kernel's fault code. */
export function faultWord(code: number): string {
  const word = FAULT_WORDS[code];
  if (word === undefined || code === 0) throw new Error(`the kernel reported the unknown fault ${code}`);
  return word;
}

const LINE_FEED = 10;

/** 1-based line of the byte at `offset`. */
export function lineAt(bytes: Uint8Array, offset: number): number {
  let line = 1;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0 && at < offset; at = bytes.indexOf(LINE_FEED, at + 1)) line++;
  return line;
}

/** See {@link Kernels.checkJson}. */
export function checkJson(core: CoreInstance, bytes: Uint8Array): JsonFault | null {
  const kernels = core.functions<JsonFunctions>();
  core.resetScratch();
  const at = core.writeScratch(bytes);
  if (kernels.checkJson(at, bytes.length) !== 0) return null;
  const offset = kernels.faultAddress() - at;
  return { line: lineAt(bytes, offset), offset, code: faultWord(kernels.faultCode()) };
}
