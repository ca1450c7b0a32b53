/** One run of single requests: transfers, each audited, or calls of the hand-written object. */
import { closedLoop, type Job, quantile, withConnections } from "../lib/drive.ts";
import type { HttpAnswer } from "../lib/http-answer.ts";
import type { HttpConnection, HttpRequest } from "../lib/http-connection.ts";
import { drawTransfer } from "./accounts.ts";
import { auditRun } from "./audit.ts";
import { mustBeDeclared } from "./batch-jobs.ts";
import { bareRequest, transferRequest } from "./requests.ts";
import { APP_PORT, BARE_PORT, type Stage } from "./stage.ts";

export interface SingleFigures {
  readonly transfers: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly driverCpu: number;
  /** CPU of workerd for one request. */
  readonly cpuMs: number;
}

/** Requests sent again after a run. */
const RECENT = 20;

export function bareRun(stage: Stage, connections: number, method: "deposit" | "nothing"): Promise<SingleFigures> {
  const draw = stage.skew.draw(stage.random);
  return drive(stage, BARE_PORT, connections, () => ({
    request: bareRequest(draw(), method),
    take: ({ status, body }) => {
      if (status !== 200) throw new Error(`the hand-written object answered ${status}: ${body.toString()}`);
    },
  }));
}

export async function transferRun(stage: Stage, connections: number): Promise<SingleFigures> {
  const draw = stage.skew.draw(stage.random);
  const recent: [HttpRequest, HttpAnswer][] = [];
  const figures = await drive(stage, APP_PORT, connections, () => {
    const { from, to, amount } = drawTransfer(draw, stage.random);
    const request = transferRequest(from, to, amount);
    const take = (answer: HttpAnswer): void => {
      if (answer.status === 200) stage.ledger.add(from, to, amount);
      else mustBeDeclared(answer.status, answer.body.toString());
      if (recent.push([request, answer]) > RECENT) recent.shift();
    };
    return { request, take };
  });
  await withConnections(APP_PORT, 1, async ([connection]) => repeat(connection as HttpConnection, recent));
  await auditRun(APP_PORT, stage.ledger);
  return figures;
}

/** Sends requests again under their Idempotency-Keys; each must be answered alike, as a replay. */
async function repeat(connection: HttpConnection, recent: readonly [HttpRequest, HttpAnswer][]): Promise<void> {
  for (const [request, before] of recent) {
    const again = await connection.post(request);
    const same = again.status === before.status && again.body.equals(before.body);
    if (!same || !/\r\nidempotency-replayed: true/i.test(again.head))
      throw new Error(`a repeated transfer was answered ${again.status}: ${again.body.toString()}`);
  }
}

/** Requests one after the other on each of some connections, for as long as a run takes. */
export async function drive(stage: Stage, port: number, connections: number, next: () => Job): Promise<SingleFigures> {
  const { workerd, options } = stage;
  const cpuBefore = await workerd.cpuSeconds();
  const { jobs, elapsedMs, latencies, driverCpu } = await stage.timed(() =>
    closedLoop({ port, connections, seconds: options.seconds, next }),
  );
  const cpu = (await workerd.cpuSeconds()) - cpuBefore;
  return {
    transfers: jobs,
    perSecond: (jobs / elapsedMs) * 1000,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    driverCpu,
    cpuMs: (cpu * 1000) / jobs,
  };
}
