/**
 * Room in the state of a saga's run. What it waited for has ended, whatever came of it: a result that the state has no room for would be brought again and
 * again, and the run would never go on.
 */

import { SAGA_ERROR_LENGTH, SAGA_SPARE_BYTES, VALUE_MAX_BYTES } from "../limits.ts";
import type { OutcomeError } from "../outcome.ts";
import { words } from "../thrown.ts";
import { fitsUtf8 } from "../utf8.ts";
import { encodeValue } from "../values.ts";

interface Kept {
  readonly results: Readonly<Record<string, unknown>>;
}

export const TOO_LARGE: OutcomeError = {
  type: "transaction-too-large",
  message: `the input and the results of a saga have at most ${VALUE_MAX_BYTES} bytes together`,
};

/** Whether a step's result can be kept beside the others. None needs no room. */
export function hasRoom(state: Kept, step: string, result: unknown): boolean {
  if (result === undefined) return true;
  const results = { ...state.results, [step]: result };
  return fitsUtf8(encodeValue({ ...state, results }), VALUE_MAX_BYTES - SAGA_SPARE_BYTES);
}

/**
 * An error as it can be kept and told: type and message are texts, whatever was thrown had there. Its data is left out where there is no room for it,
 * and a long text is cut.
 */
export function keptError(state: Kept, error: OutcomeError): OutcomeError {
  const [type, message] = [words(() => error.type), words(() => error.message)];
  const kept = { type, message, ...(error.data === undefined ? {} : { data: error.data }) };
  if (fitsUtf8(encodeValue([state, kept]), VALUE_MAX_BYTES - SAGA_SPARE_BYTES)) return kept;
  return { type: type.slice(0, SAGA_ERROR_LENGTH), message: message.slice(0, SAGA_ERROR_LENGTH) };
}
