/** One request with its retries: the same request and Idempotency-Key again until there is a final answer. */

import { tenantHeader } from "./tenant-header.ts";
import { isBeforehand, leavesOpen, type ProblemError, problemError, UnreachableError } from "./errors.ts";
import type { ClientOptions } from "./types.ts";
import { unlessAborted, Watch } from "./watch.ts";

/** Milliseconds before the first retry; doubles each time, halved at random so that clients do not march in step. */
const BACKOFF_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** The longest `Retry-After` that is waited for; a longer one ends the attempts. */
const RETRY_AFTER_MAX_MS = 60_000;
const TIMEOUT_MS = 30_000;
const RETRIES = 4;

export interface Call {
  readonly method: "GET" | "POST" | "DELETE";
  /** With its leading slash, under the client's base address. */
  readonly path: string;
  readonly body?: string;
  readonly type?: string;
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A snapshot: it is not to be older than what this client has been told. */
  readonly snapshot?: boolean;
  /** Whether an earlier request with this identity left open what it did; kept up by those that are sent. */
  readonly doubt?: { open: boolean };
  /** `read` hands the body on unread; `signal` must then be short-lived and goes on ruling it. */
  readonly streamed?: boolean;
}
export interface Transport {
  /**
   * Sends, again where that may help, until `read` has an answer. It runs within the attempt, so a body that breaks off is asked for again.
   * @throws the last error; UnreachableError where an attempt's outcome is unknown and the last error says nothing of it
   */
  send<T>(call: Call, read: (response: Response) => Promise<T>): Promise<T>;
  /** Waits as before the next attempt after that many; rejects when the signal aborts. */
  rest(attempts: number, signal: AbortSignal | undefined): Promise<void>;
  readonly timeoutMs: number;
  readonly retries: number;
}

/** A way to send with these options. */
export function transport(base: string, options: ClientOptions): Transport {
  const root = base.replace(/\/+$/, "");
  const retries = options.retries ?? RETRIES;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  /** The newest epoch that an answer named. */
  let epoch: string | undefined;
  const doFetch = options.fetch ?? ((url, init) => fetch(url, init));

  async function attempt<T>(
    call: Call,
    init: RequestInit,
    read: (response: Response) => Promise<T>,
    number: number,
  ): Promise<Attempt<T>> {
    const watch = new Watch(timeoutMs, call.signal);
    watch.start();
    try {
      const response = await doFetch(root + call.path, { ...init, signal: watch.signal });
      epoch = newer(epoch, response.headers.get("tidegate-epoch"));
      if (response.ok) return { value: await read(response) };
      const error = problemError(response.status, await response.text());
      return { error, pause: pauseAfter(response, error, number) };
    } catch (cause) {
      call.signal?.throwIfAborted();
      return { error: new UnreachableError(number, call.idempotencyKey, cause), pause: backoff(number) };
    } finally {
      if (call.streamed === true) watch.pause();
      else watch.end();
    }
  }

  async function send<T>(call: Call, read: (response: Response) => Promise<T>): Promise<T> {
    const doubt = call.doubt ?? { open: false };
    for (let number = 1; ; number++) {
      call.signal?.throwIfAborted();
      const init = await request(call, options, epoch).catch((cause: unknown) => {
        throw hidden(doubt.open, number, call, cause);
      });
      const outcome = await attempt(call, init, read, number);
      if ("value" in outcome) return outcome.value;
      const { error, pause } = outcome;
      const isOpen = leavesOpen(error);
      if (pause === undefined || number > retries) {
        throw hidden(doubt.open && !isOpen && isBeforehand(error), number, call, error);
      }
      doubt.open ||= isOpen;
      await sleep(pause, call.signal);
    }
  }
  return { send, rest: (attempts, signal) => sleep(backoff(attempts), signal), timeoutMs, retries };
}

/** What to throw for an error that says nothing of an earlier attempt, where that left its outcome open. Reads have none. */
function hidden(isOpen: boolean, number: number, { idempotencyKey }: Call, error: unknown): unknown {
  return isOpen && idempotencyKey !== undefined ? new UnreachableError(number, idempotencyKey, error) : error;
}

/** `pause`: milliseconds until the same request may succeed; absent when it will not. */
type Attempt<T> = { readonly value: T } | { readonly error: Error; readonly pause: number | undefined };

async function request(call: Call, { token, tenant }: ClientOptions, epoch: string | undefined): Promise<RequestInit> {
  const headers: Record<string, string> = tenant === undefined ? {} : { "tidegate-tenant": tenantHeader(tenant) };
  if (call.snapshot === true && epoch !== undefined) headers["tidegate-epoch"] = epoch;
  if (call.body !== undefined) headers["content-type"] = call.type ?? "application/json";
  if (call.idempotencyKey !== undefined) headers["idempotency-key"] = quoted(call.idempotencyKey);
  const bearer = typeof token === "function" ? await token() : token;
  if (bearer !== undefined) headers["authorization"] = `Bearer ${bearer}`;
  return { method: call.method, headers, ...(call.body === undefined ? {} : { body: call.body }) };
}

/** The later of two epochs such as `1.17`: by generation, then by count. */
function newer(known: string | undefined, told: string | null): string | undefined {
  if (told === null) return known;
  if (known === undefined) return told;
  const [[g = 0, n = 0], [h = 0, m = 0]] = [known, told].map((text) => text.split(".").map(Number)) as [
    number[],
    number[],
  ];
  return h > g || (h === g && m > n) ? told : known;
}

/** A structured-field string (RFC 9651, section 3.3.3). */
function quoted(key: string): string {
  if (!/^[ -~]+$/.test(key)) throw new TypeError("an idempotency key is printable ASCII");
  return `"${key.replaceAll(/["\\]/g, "\\$&")}"`;
}

function pauseAfter(response: Response, error: ProblemError, attempt: number): number | undefined {
  const transient = [429, 502, 503, 504].includes(response.status);
  if (!transient && error.problem.retryable !== true) return undefined;
  const header = response.headers.get("retry-after");
  if (header === null) return backoff(attempt);
  const wait = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  if (Number.isNaN(wait)) return backoff(attempt);
  return wait > RETRY_AFTER_MAX_MS ? undefined : Math.max(wait, 0);
}

function backoff(attempt: number): number {
  return Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
}

/** Waits, unless the caller gives up. */
function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return unlessAborted(over, signal).finally(() => clearTimeout(timer as ReturnType<typeof setTimeout>));
}
