/** One message to the partition that owns a key, and its answer. */
import type { Kernels } from "../core-wasm/types.ts";
import { invariant } from "../protocol/assert.ts";
import { ANSWER, ANSWER_COLUMN, ANSWER_FIELD, ANSWER_FLAG, type Answer } from "../protocol/wire/answer.ts";
import { INVOKE, INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import type { Backend, PartitionPort } from "./backend.ts";
import { partitionOf, type Target } from "./keys.ts";
import { LIMITS } from "./limits.ts";
import { type Doubt, noDoubt, ResendError, withRetries } from "./retries.ts";

/** Line number of what comes alone. */
const ONLY_LINE = 1;

/** A fingerprint as two u32: low, high. */
export type Fingerprint = readonly [number, number];
export const NO_FINGERPRINT: Fingerprint = [0, 0];

/** What a client sent has a fingerprint, whatever it is: without one it would pass for a repetition of anything under its key. */
export function fingerprinted([low, high]: Fingerprint): Fingerprint {
  return low === 0 && high === 0 ? [1, 0] : [low, high];
}

/** One invocation, ready to be framed. */
export interface Invocation {
  readonly requestId: string;
  /** Bits of INVOKE_FLAG. */
  readonly flags: number;
  readonly fingerprint: Fingerprint;
  readonly target: Target;
  /** JSON text; "" for none. */
  readonly input: string;
  /** Of a request that is traced. */
  readonly traceparent?: string | undefined;
}

/** Runs one invocation. @throws ProblemError */
export function invoke(backend: Backend, startedAt: number, invocation: Invocation): Promise<Answer> {
  const frame = encodeInvocation(backend.kernels(), invocation);
  const { target, traceparent, flags } = invocation;
  const send = (port: PartitionPort): Promise<Uint8Array> =>
    traceparent === undefined ? port.invoke(frame) : port.invoke(frame, traceparent);
  const reads = target.kind === "query" || (flags & INVOKE_FLAG.queryOnly) !== 0;
  return exchange(backend, startedAt, target.key, send, reads ? undefined : noDoubt());
}

function encodeInvocation(kernels: Kernels, { requestId, flags, fingerprint, target, input }: Invocation): Uint8Array {
  return kernels.pack(INVOKE, {
    rows: 1,
    columns: [ONLY_LINE, flags, fingerprint[0], fingerprint[1]],
    fields: [requestId, target.service, target.key, target.function, input],
  });
}

/**
 * Sends one message to the partition of `key` until it is answered; the message carries its request id, so that sending it twice is safe.
 * @param doubt of the message; none for one that only reads
 * @throws ProblemError
 */
export function exchange(
  backend: Backend,
  startedAt: number,
  key: string,
  send: (port: PartitionPort) => Promise<Uint8Array>,
  doubt: Doubt | undefined,
): Promise<Answer> {
  const attempt = async (): Promise<Answer> => {
    const map = await backend.keyGroupMap();
    const port = backend.partition(partitionOf(backend.kernels(), map, key));
    if (doubt !== undefined) doubt.sent = true;
    return readAnswer(backend.kernels(), await send(port), doubt?.mayHaveRun === true);
  };
  return withRetries(backend, startedAt + LIMITS.requestDeadlineMs, attempt, doubt);
}

/**
 * @param mayHaveRun an earlier attempt may have run: then only what is said of the request itself is an answer
 * @throws CorruptError, or ResendError when nothing was done this time and it is worth sending again
 */
function readAnswer(kernels: Kernels, bytes: Uint8Array, mayHaveRun: boolean): Answer {
  const table = kernels.unpack(ANSWER, bytes);
  invariant(table.rows === 1, "a lone message must have one answer");
  const status = table.column(0, ANSWER_COLUMN.status);
  const flags = table.column(0, ANSWER_COLUMN.flags);
  const answer = {
    line: table.column(0, ANSWER_COLUMN.line),
    status,
    flags,
    body: table.field(0, ANSWER_FIELD.body),
    epoch: table.field(0, ANSWER_FIELD.epoch),
  };
  if ((flags & ANSWER_FLAG.staleMap) !== 0) throw new ResendError("stale-map", answer);
  // Overload is for the caller to wait out: sending again at once would feed it. It leaves open what became of an earlier attempt.
  if ((flags & ANSWER_FLAG.retryable) !== 0 && (status !== 503 || mayHaveRun)) {
    throw new ResendError("retryable", answer);
  }
  return answer;
}
