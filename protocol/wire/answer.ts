/** Answer frames: what a partition sends back to the edge, one row per invocation. */
import type { Kernels, TableSpec } from "../../core-wasm/types.ts";

export const ANSWER: TableSpec = { kind: 2, version: 1, columns: 3, fields: 2 };

export const ANSWER_COLUMN = { line: 0, status: 1, flags: 2 } as const;
export const ANSWER_FIELD = { body: 0, epoch: 1 } as const;

export const ANSWER_FLAG = {
  /** The answer was recorded earlier; nothing ran now. */
  replayed: 1,
  /** The key group is not here: fetch the key-group map again and resend. */
  staleMap: 2,
  /** Nothing was done; the same request id may be sent again. */
  retryable: 4,
} as const;

/** Of a message that is kept: its transaction comes later. */
export const ACCEPTED_STATUS = 202;

/** Whether `body` is a result, and not a problem. */
export function isSuccess(status: number): boolean {
  return status === 200 || status === ACCEPTED_STATUS;
}

/** HTTP status 200: `body` is the result as JSON; 202: the id of a message. Otherwise `body` is a complete problem document (RFC 9457). */
export interface Answer {
  readonly line: number;
  readonly status: number;
  readonly flags: number;
  readonly body: string;
  /** Opaque position in the partition's history, for `Tidegate-Epoch`; empty when nothing was read. */
  readonly epoch: string;
}

export function encodeAnswers(kernels: Kernels, answers: readonly Answer[]): Uint8Array {
  const columns: number[] = [];
  const fields: string[] = [];
  for (const answer of answers) {
    columns.push(answer.line, answer.status, answer.flags);
    fields.push(answer.body, answer.epoch);
  }
  return kernels.pack(ANSWER, { rows: answers.length, columns, fields });
}
