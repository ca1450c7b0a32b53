/**
 * HTTP as the demo needs it: keep-alive connections and little work per request, so that the driver takes little of the processor that it
 * shares with the server. A request without an answer is sent again as it is: its Idempotency-Key makes that safe.
 */
import http from "node:http";
import https from "node:https";
import { Away } from "./away.ts";
import { UsageError } from "./options.ts";
import { say } from "./progress.ts";

/** Milliseconds for which a request is repeated while nobody answers: long enough to restart a server by hand. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 50;
const PAUSE_MAX_MS = 1_000;
/** Milliseconds of silence after which an attempt is given up. */
const SILENCE_MS = 60_000;

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Whether the server says that an earlier request with the same Idempotency-Key made this answer. */
  readonly replayed: boolean;
}

export interface Sending {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string | Buffer;
  readonly type?: "application/json" | "application/x-ndjson";
  /** Printable ASCII without quotes. */
  readonly idempotencyKey?: string;
  /** The bearer token, where it is not that of callers. */
  readonly token?: string;
}

export class Http {
  readonly #origin: URL;
  readonly #token: string;
  readonly #module: typeof http | typeof https;
  readonly #agent: http.Agent;
  readonly #away = new Away(say);
  #retries = 0;
  #refusals = 0;
  /** Hears of every answer to a POST; times are of `performance.now()`. */
  onAnswer: ((sentAt: number, answeredAt: number, sending: Sending) => void) | undefined;

  /** @param connections how many are kept open at most */
  constructor(url: string, token: string, connections: number) {
    this.#origin = new URL(url);
    this.#token = token;
    this.#module = this.#origin.protocol === "https:" ? https : http;
    this.#agent = new this.#module.Agent({ keepAlive: true, maxSockets: connections, scheduling: "fifo" });
  }

  /** Requests that were sent again. */
  get retries(): number {
    return this.#retries;
  }

  /** Answers that said that the same request, or a line of it, may succeed later. */
  get refusals(): number {
    return this.#refusals;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Sends until there is an answer that is final. @throws Error when there is none in time, UsageError when the token is wrong */
  async send(sending: Sending): Promise<Answer> {
    const sentAt = performance.now();
    const giveUp = Date.now() + PATIENCE_MS;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#attempt(sending).catch((error: NodeJS.ErrnoException) => error);
      if (answer instanceof Error) this.#away.failed(performance.now(), answer.code ?? answer.message);
      else this.#away.answered(performance.now());
      if (!(answer instanceof Error) && answer.status === 401) throw new UsageError("the server refuses the token");
      if (!(answer instanceof Error) && isFinal(answer)) {
        if (sending.method === "POST") this.onAnswer?.(sentAt, performance.now(), sending);
        return answer;
      }
      if (!(answer instanceof Error)) this.#refusals += 1;
      if (Date.now() > giveUp) {
        const reason = answer instanceof Error ? answer.message : answer.text;
        throw new Error(`no answer to ${sending.method} ${sending.path} in ${PATIENCE_MS / 1_000} s: ${reason}`);
      }
      this.#retries += 1;
      await new Promise((wake) => setTimeout(wake, Math.min(PAUSE_MS * 2 ** (attempt - 1), PAUSE_MAX_MS)));
    }
  }

  #attempt({ method, path, body, type, idempotencyKey, token = this.#token }: Sending): Promise<Answer> {
    const headers: http.OutgoingHttpHeaders = { authorization: `Bearer ${token}` };
    if (body !== undefined) {
      headers["content-type"] = type ?? "application/json";
      headers["content-length"] = Buffer.byteLength(body);
    }
    if (idempotencyKey !== undefined) headers["idempotency-key"] = `"${idempotencyKey}"`;
    const { hostname, port } = this.#origin;
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, host: hostname, port, method, path, headers, timeout: SILENCE_MS };
      const request = this.#module.request(options, (response) => collect(response).then(resolve, reject));
      request.on("error", reject);
      request.on("timeout", () => request.destroy(new Error(`silence of ${SILENCE_MS / 1_000} s`)));
      request.end(body);
    });
  }
}

/** Not when it says that the same request may succeed later; of a batch, that one of its lines may. */
function isFinal({ status, text }: Answer): boolean {
  return status !== 503 && !text.includes('"retryable":true');
}

function collect(response: http.IncomingMessage): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      const text = chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString();
      resolve({
        status: response.statusCode ?? 0,
        text,
        replayed: response.headers["idempotency-replayed"] === "true",
      });
    });
  });
}
