/** `--grow`: the server goes to twice its partitions and back while customers check out, and what that costs them is measured. */
import { differs, type Findings } from "./findings.ts";
import type { Http } from "./http.ts";
import { Latencies } from "./latency.ts";
import { say } from "./progress.ts";

const PATH = "/admin/partitions";

/** What it says. */
interface Status {
  readonly partitions: number;
  readonly wanted: number;
  readonly phase: "still" | "copying" | "frozen";
  readonly lastPauseMs: number | null;
}

/** Shares of the checkouts after which the number of partitions changes. */
const GROW_AT = 0.15;
const SHRINK_AT = 0.55;
const LOOK_MS = 20;
/** A move that takes longer than that has hung. */
const MOVE_MS = 120_000;

interface Answered {
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly isBatch: boolean;
}

interface Move {
  readonly from: number;
  readonly to: number;
  readonly beganAt: number;
  readonly endedAt: number;
  readonly pauseMs: number;
}

export class Growing {
  readonly #http: Http;
  readonly #token: string;
  readonly #total: number;
  readonly #answered: Answered[] = [];
  readonly #moves: Move[] = [];
  readonly #faults: string[] = [];
  #over = false;

  /** @param token of the administrator @param total checkouts of the run */
  constructor(http: Http, token: string, total: number) {
    this.#http = http;
    this.#token = token;
    this.#total = total;
  }

  /** A request had its answer; times are of `performance.now()`. */
  answered(sentAt: number, answeredAt: number, isBatch: boolean): void {
    this.#answered.push({ sentAt, answeredAt, isBatch });
  }

  /** Changes the number of partitions when so many checkouts are done, and returns when it is as it was. */
  async run(done: () => number): Promise<void> {
    const { partitions } = await this.#status();
    await this.#until(() => done() >= this.#total * GROW_AT || this.#over);
    await this.#move(partitions, partitions * 2);
    await this.#until(() => done() >= this.#total * SHRINK_AT || this.#over);
    await this.#move(partitions * 2, partitions);
  }

  /** All checkouts are done: what has yet to be done is done at once. */
  end(): void {
    this.#over = true;
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((wake) => setTimeout(wake, LOOK_MS));
  }

  async #move(from: number, to: number): Promise<void> {
    const beganAt = performance.now();
    if (this.#over) this.#faults.push(`all checkouts were done before it went from ${from} to ${to} partitions`);
    await this.#http.send({
      method: "POST",
      path: PATH,
      token: this.#token,
      body: JSON.stringify({ partitions: to }),
    });
    for (;;) {
      const { partitions, phase, lastPauseMs } = await this.#status();
      if (partitions === to && phase === "still") {
        const endedAt = performance.now();
        this.#moves.push({ from, to, beganAt, endedAt, pauseMs: lastPauseMs ?? 0 });
        say(`${from} partitions have become ${to} in ${((endedAt - beganAt) / 1_000).toFixed(2)} s.`);
        return;
      }
      if (performance.now() - beganAt > MOVE_MS) {
        this.#faults.push(differs("partitions", to, { partitions, phase }));
        return;
      }
      await new Promise((wake) => setTimeout(wake, LOOK_MS));
    }
  }

  async #status(): Promise<Status> {
    return JSON.parse((await this.#http.send({ method: "GET", path: PATH, token: this.#token })).text) as Status;
  }

  check(findings: Findings): void {
    findings.check("changes of the number of partitions during checkouts", this.#moves.length, this.#faults);
    const { refusals } = this.#http;
    const faults = refusals === 0 ? [] : [differs("requests that were told to come again", 0, refusals)];
    findings.check("requests, none of which was refused while key groups moved", this.#answered.length, faults);
  }

  /** Latencies by what went on; a request counts for a move if it was under way in any part of it. */
  lines(): string[] {
    const [grow, shrink] = this.#moves;
    if (!grow || !shrink) return [];
    const spans: Array<readonly [name: string, from: number, to: number]> = [
      [`${grow.from} partitions`, 0, grow.beganAt],
      [`going to ${grow.to}`, grow.beganAt, grow.endedAt],
      [`${grow.to} partitions`, grow.endedAt, shrink.beganAt],
      [`going back to ${shrink.to}`, shrink.beganAt, shrink.endedAt],
      [`${shrink.to} partitions`, shrink.endedAt, Infinity],
    ];
    const rows = spans.flatMap(([name, from, to], at) =>
      [false, true].flatMap((isBatch) => {
        const isMove = at % 2 === 1;
        const found = this.#answered.filter(
          (one) =>
            one.isBatch === isBatch &&
            (isMove ? one.answeredAt > from && one.sentAt < to : one.sentAt >= from && one.answeredAt <= to),
        );
        return found.length === 0 ? [] : [row(name, isBatch, found)];
      }),
    );
    const pauses = this.#moves.map((move) => `${move.from} to ${move.to}: ${move.pauseMs} ms`);
    return [
      "Latencies while partitions came and went, ms",
      ...rows,
      `Nothing ran, by the coordinator's clock, from ${pauses.join(", from ")}.`,
    ];
  }
}

function row(name: string, isBatch: boolean, found: readonly Answered[]): string {
  const latencies = new Latencies();
  for (const { sentAt, answeredAt } of found) latencies.add(answeredAt - sentAt);
  const [p50, p95, p99, max] = latencies.percentiles(50, 95, 99, 100).map((value) => value.toFixed(1).padStart(9));
  const of = isBatch ? "batches of 100" : "requests";
  return `  ${name.padEnd(18)} p50 ${p50}  p95 ${p95}  p99 ${p99}  most ${max}  of ${found.length.toLocaleString("en")} ${of}`;
}
