/** Requests that are sent again until they are answered, as clients do whose server dies. */
import type { Load } from "./load.ts";
import { TOKEN } from "./process-group.ts";

/** Between two attempts. */
const RETRY_MS = 25;
/** One attempt; more than the edge takes at most. */
const ATTEMPT_MS = 35_000;
/** All attempts at one request: several restarts of the server. */
const PATIENCE_MS = 60_000;

export interface Request {
  readonly path: string;
  /** JSON of a POST, with its Idempotency-Key; a query has neither. */
  readonly post?: { readonly body: string; readonly idempotencyKey: string };
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Broken connections and what may be tried again are not answers. `null` when there is none in time. */
export async function untilAnswered(load: Load, request: Request): Promise<Answered | null> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let attempt = 0; performance.now() < deadline && !load.abandoned; attempt++) {
    if (attempt > 0) load.repeats += 1;
    const answered = await send(load.url, request).catch(() => null);
    if (answered && isFinal(answered)) return answered;
    await sleep(RETRY_MS);
  }
  return null;
}

/** A failed function (500) and a missing ability (501) are what a test wants to hear of, not to wait out; overload and lateness pass. */
function isFinal({ status, text }: Answered): boolean {
  if (status < 500) return true;
  return status < 502 && text.includes(`"type":"/problems/`) && !text.includes(`"retryable":true`);
}

async function send(url: string, { path, post }: Request): Promise<Answered> {
  const signal = AbortSignal.timeout(ATTEMPT_MS);
  const authorization = `Bearer ${TOKEN}`;
  const response = await fetch(
    url + path,
    post
      ? {
          method: "POST",
          headers: { authorization, "content-type": "application/json", "idempotency-key": `"${post.idempotencyKey}"` },
          body: post.body,
          signal,
        }
      : { headers: { authorization }, signal },
  );
  return { status: response.status, text: await response.text() };
}

/** The path of a query with its input. */
export function queryPath(service: string, key: string, name: string, input?: unknown, parameters = ""): string {
  const shown = input === undefined ? "" : `input=${encodeURIComponent(JSON.stringify(input))}&`;
  return `/v1/services/${service}/${key}/${name}?${shown}${parameters}`;
}
