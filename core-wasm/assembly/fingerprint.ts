/** The hash of a body, taken while it is read: its multiplications run beside the parser's comparisons, on bytes that are in the processor's cache. */
import { xxh64Begin, xxh64End, xxh64Stripes } from "./xxh64";

/** Bytes that are hashed at a time, at least: so few that the processor goes on with the next event meanwhile. */
const PACE: usize = 512;

/** The first byte that is not hashed, and the end of the slice. */
let at: usize = 0;
let end: usize = 0;
let last: bool = false;
let done: bool = false;

/** Hash of the whole body, once its last slice is finished. */
export let fingerprint: u64 = 0;

/** Starts a body. */
export function beginFingerprint(): void {
  xxh64Begin(0);
}

/** A slice is there to be read. One that is not the last is a multiple of 32 long. */
export function fingerprintSlice(from: usize, bytes: usize, isLast: bool): void {
  at = from;
  end = from + bytes;
  last = isLast;
  done = false;
}

/** Everything before an address has been read. */
export function fingerprintTo(behind: usize): void {
  if (behind < at + PACE || behind > end) return;
  const bytes = (behind - at) & ~31;
  xxh64Stripes(at, bytes);
  at += bytes;
}

/** Takes the rest of the slice: it has been read, or bytes of it are about to be changed. */
export function finishSlice(): void {
  if (done) return;
  done = true;
  if (last) fingerprint = xxh64End(at, end - at);
  else xxh64Stripes(at, end - at);
  at = end;
}
