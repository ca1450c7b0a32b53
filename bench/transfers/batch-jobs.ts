/** Batches as jobs of a driver: each answer is checked line by line, and what it acknowledges goes into the ledger. */
import type { Job } from "../lib/drive.ts";
import type { HttpAnswer } from "../lib/http-answer.ts";
import type { HttpRequest } from "../lib/http-connection.ts";
import type { Batch } from "./batches.ts";
import { BATCH_LINES } from "./batches.ts";
import type { Ledger } from "./ledger.ts";
import { batchRequest } from "./requests.ts";
import { readResults } from "./results.ts";

/** A batch that was answered, kept to be sent again. */
export interface Answered {
  readonly request: HttpRequest;
  readonly body: Buffer;
}

export interface BatchJobs {
  next(): Job;
  /** Transfers that were acknowledged. */
  readonly acknowledged: number;
  /** Transfers that were refused as the contract declares. */
  readonly refused: number;
  /** The newest answered batches. */
  readonly recent: readonly Answered[];
}

const RECENT = 4;
const DECLARED = "/problems/account/insufficient-funds";

/** Sends the batches of the pool in turn, each time under a new Idempotency-Key. */
export function batchJobs(pool: readonly Batch[], ledger: Ledger): BatchJobs {
  const recent: Answered[] = [];
  let sent = 0;
  let acknowledged = 0;
  let refused = 0;
  const take = (batch: Batch, request: HttpRequest, answer: HttpAnswer): void => {
    const lines = enter(batch, answer, ledger);
    acknowledged += lines;
    refused += BATCH_LINES - lines;
    if (recent.push({ request, body: answer.body }) > RECENT) recent.shift();
  };
  return {
    next: () => {
      const batch = pool[sent++ % pool.length] as Batch;
      const request = batchRequest(batch.body);
      return { request, take: (answer) => take(batch, request, answer) };
    },
    get acknowledged() {
      return acknowledged;
    },
    get refused() {
      return refused;
    },
    recent,
  };
}

/**
 * Enters the acknowledged lines of a batch's answer, and returns how many there are.
 * @throws Error for a line that is missing, doubled, or neither a result nor a declared refusal
 */
export function enter(batch: Batch, { status, body }: HttpAnswer, ledger: Ledger): number {
  if (status !== 200) throw new Error(`a batch was answered ${status}: ${body.toString().slice(0, 500)}`);
  const seen = new Uint8Array(BATCH_LINES + 1);
  let lines = 0;
  let acknowledged = 0;
  readResults(body, (line, status, start, end) => {
    if (!(line >= 1 && line <= BATCH_LINES) || seen[line] === 1)
      throw new Error(`an answer has a line too many: ${body.toString("latin1", start, end)}`);
    seen[line] = 1;
    lines += 1;
    if (status !== 200) return mustBeDeclared(status, body.toString("latin1", start, end));
    acknowledged += 1;
    ledger.add(batch.from[line - 1]!, batch.to[line - 1]!, batch.amount[line - 1]!);
  });
  if (lines !== BATCH_LINES) throw new Error(`an answer has ${lines} lines of ${BATCH_LINES}`);
  return acknowledged;
}

/** Anything but a declared refusal ends the run: clients are to see no conflict, no deadlock and no overload. */
export function mustBeDeclared(status: number, text: string): void {
  if (status !== 409 || !text.includes(DECLARED)) throw new Error(`a transfer was answered ${status}: ${text}`);
}
