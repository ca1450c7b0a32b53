/**
 * The text being scanned, and its white space.
 *
 * Every scan relies on this contract: the text is followed by at least SLACK_BYTES readable bytes of which the first is
 * zero. A zero byte is legal nowhere in JSON, so scans need no bounds checks; whoever meets a byte that does not fit asks
 * `atEnd` whether it is a wrong byte or the end.
 */
import { UNEXPECTED_BYTE, UNEXPECTED_END, fail } from "./fault";

const SPACE: u64 = (1 << 32) | (1 << 9) | (1 << 13);
const LINE_FEED: u64 = 1 << 10;

let end: usize = 0;
let lines: bool = false;
let blanks: u64 = 0;

/** Starts a text that ends before `textEnd`. With `lineMode` it is NDJSON: LF ends a value instead of being white space. */
export function beginText(textEnd: usize, lineMode: bool): void {
  end = textEnd;
  lines = lineMode;
  blanks = lineMode ? SPACE : SPACE | LINE_FEED;
}

/** The address behind the last byte of the text. */
export function textEnd(): usize {
  return end;
}

/** Whether the text, or in line mode the line, ends at `p`. */
export function atEnd(p: usize): bool {
  return p >= end || (lines && load<u8>(p) == 0x0a);
}

/** First byte at or after `p` that is not white space. */
export function skipSpace(p: usize): usize {
  while (true) {
    const byte: u64 = load<u8>(p);
    if (byte > 32 || ((blanks >> byte) & 1) == 0) return p;
    p++;
  }
}

/** The fault for a byte that fits nowhere. */
export function unexpected(p: usize): usize {
  return fail(atEnd(p) ? UNEXPECTED_END : UNEXPECTED_BYTE, p);
}
