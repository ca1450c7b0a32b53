/** Keys of entries of flows: what events are grouped by may be any text, and storage has a limit for it. */
import { TidegateError } from "../../sdk/errors.ts";
import { LIMITS } from "../limits.ts";
import { fitsUtf8, UTF8_PER_UNIT } from "../../sdk/utf8.ts";

/** @throws TidegateError `invalid-event` */
export function checkEntryKey(key: string): void {
  if (key.length * UTF8_PER_UNIT <= LIMITS.maxEntryKeyBytes || fitsUtf8(key, LIMITS.maxEntryKeyBytes)) return;
  const detail = `what events are grouped by has at most ${LIMITS.maxEntryKeyBytes} bytes, with the window that they are in`;
  throw new TidegateError("invalid-event", detail);
}
