/** Checks that a text is exactly one JSON value. */
import { EMPTY, TRAILING_BYTES, fail } from "./fault";
import { beginText, skipSpace } from "./text";
import { scanValue } from "./value";

/** 1 when the `length` bytes at `text` are one JSON text, otherwise 0 with the fault set. Clears the byte behind the text. */
export function checkJson(text: usize, length: usize): u32 {
  const end = text + length;
  store<u8>(end, 0);
  beginText(end, false);
  let p = skipSpace(text);
  if (p == end) {
    fail(EMPTY, p);
    return 0;
  }
  p = scanValue(p, 0);
  if (p == 0) return 0;
  p = skipSpace(p);
  if (p == end) return 1;
  fail(TRAILING_BYTES, p);
  return 0;
}
