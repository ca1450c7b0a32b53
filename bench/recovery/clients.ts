/** Clients that send each batch until all of it is answered, whatever happens to the server: under one Idempotency-Key, so that nothing runs twice. */
import { HttpConnection, type HttpRequest } from "../lib/http-connection.ts";
import type { HttpAnswer } from "../lib/http-answer.ts";
import { enter } from "../transfers/batch-jobs.ts";
import { type Batch, BATCH_LINES, makeBatch } from "../transfers/batches.ts";
import { batchRequest } from "../transfers/requests.ts";
import { readResults } from "../transfers/results.ts";
import { APP_PORT, type Stage } from "../transfers/stage.ts";

const AGAIN_MS = 20;
const SLOW_MS = 35_000;

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Clients {
  readonly #stage: Stage;
  #stopping = false;
  #running: Promise<unknown> = Promise.resolve();
  /** When each batch was answered; ms, as `performance.now()`. */
  readonly answered: number[] = [];
  #repeats = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Requests that were sent again. */
  get repeats(): number {
    return this.#repeats;
  }

  start(count: number): void {
    this.#running = Promise.all(Array.from({ length: count }, () => this.#client()));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  /** Transfers a second that were answered between two times. */
  rate(from: number, to: number): number {
    const batches = this.answered.filter((at) => at >= from && at < to).length;
    return (batches * BATCH_LINES * 1000) / (to - from);
  }

  async #client(): Promise<void> {
    const { skew, random } = this.#stage;
    const draw = skew.draw(random);
    const line = new Line();
    while (!this.#stopping) await this.send(makeBatch(draw, random), line);
    line.close();
  }

  async send(batch: Batch, line: Line): Promise<void> {
    const request = batchRequest(batch.body);
    for (let attempt = 0; ; attempt++) {
      if (attempt > 0) this.#repeats += 1;
      const answer = await line.post(request).catch(() => null);
      if (answer !== null && isWhole(answer)) {
        enter(batch, answer, this.#stage.ledger);
        this.answered.push(performance.now());
        return;
      }
      await sleep(AGAIN_MS);
    }
  }
}

/** Every line has its result: what failed, or was refused for load, may be sent again. */
function isWhole({ status, body }: HttpAnswer): boolean {
  if (status !== 200) return false;
  let whole = 0;
  readResults(body, (_line, lineStatus) => {
    if (lineStatus < 500) whole += 1;
  });
  return whole === BATCH_LINES;
}

/** A connection that is opened again when it breaks, or when nothing comes. */
export class Line {
  #connection: HttpConnection | null = null;

  async post(request: HttpRequest): Promise<HttpAnswer> {
    this.#connection ??= await HttpConnection.open(APP_PORT);
    const connection = this.#connection;
    const slow = setTimeout(() => connection.close(), SLOW_MS);
    try {
      return await connection.post(request);
    } catch (error) {
      connection.close();
      this.#connection = null;
      throw error;
    } finally {
      clearTimeout(slow);
    }
  }

  close(): void {
    this.#connection?.close();
  }
}
