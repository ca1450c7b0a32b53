/** The loads whose cost is counted: batches and single requests, at a rate or as many as go. */
import { closedLoop, type Drive, type Job } from "../lib/drive.ts";
import { accountName, drawTransfer, type Transfer } from "../transfers/accounts.ts";
import { mustBeDeclared } from "../transfers/batch-jobs.ts";
import { batchRequest, transferRequest } from "../transfers/requests.ts";
import { APP_PORT, type Stage } from "../transfers/stage.ts";
import { paced } from "./paced.ts";
import type { Use } from "./prices.ts";
import { between, look, settled } from "./usage.ts";

export interface Counted {
  readonly transfers: number;
  readonly httpRequests: number;
  readonly elapsedMs: number;
  readonly use: Use;
  /** CPU of the whole process, edge and objects. */
  readonly cpuMs: number;
}

const CONNECTIONS = 128;

/** Batches of so many lines; `perSecond` transfers, or as many as go. */
export function countBatches(stage: Stage, lines: number, perSecond: number | null, seconds: number): Promise<Counted> {
  const next = (): Job => {
    const transfers = Array.from({ length: lines }, () => draw(stage));
    const body = transfers.map(line).join("\n");
    return { request: batchRequest(Buffer.from(body)), take: (answer) => takeBatch(stage, transfers, answer) };
  };
  return count(stage, lines, () =>
    perSecond === null
      ? closedLoop({ port: APP_PORT, connections: stage.options.atOnce, seconds, next })
      : paced(APP_PORT, perSecond / lines, seconds, next),
  );
}

/** A request for each transfer; `perSecond`, or as many as go. */
export function countSingles(stage: Stage, perSecond: number | null, seconds: number): Promise<Counted> {
  const next = (): Job => {
    const transfer = draw(stage);
    const { from, to, amount } = transfer;
    return {
      request: transferRequest(from, to, amount),
      take: ({ status, body }) => {
        if (status === 200) stage.ledger.add(from, to, amount);
        else mustBeDeclared(status, body.toString());
      },
    };
  };
  return count(stage, 1, () =>
    perSecond === null
      ? closedLoop({ port: APP_PORT, connections: CONNECTIONS, seconds, next })
      : paced(APP_PORT, perSecond, seconds, next),
  );
}

async function count(
  stage: Stage,
  lines: number,
  drive: () => Promise<Pick<Drive, "jobs" | "elapsedMs">>,
): Promise<Counted> {
  const before = await look();
  const cpuBefore = await stage.workerd.cpuSeconds();
  const { jobs, elapsedMs } = await drive();
  const cpuMs = ((await stage.workerd.cpuSeconds()) - cpuBefore) * 1000;
  const use = between(before, await settled());
  return { transfers: jobs * lines, httpRequests: jobs, elapsedMs, use, cpuMs };
}

function draw({ skew, random }: Stage): Transfer {
  return drawTransfer(skew.draw(random), random);
}

function line({ from, to, amount }: Transfer): string {
  const input = `{"to":"${accountName(to)}","amount":${amount}}`;
  return `{"service":"account","key":"${accountName(from)}","function":"transfer","input":${input}}`;
}

function takeBatch(
  { ledger }: Stage,
  transfers: readonly Transfer[],
  { status, body }: { status: number; body: Buffer },
): void {
  if (status !== 200) throw new Error(`a batch was answered ${status}: ${body.toString().slice(0, 500)}`);
  const texts = body.toString().trimEnd().split("\n");
  if (texts.length !== transfers.length) throw new Error(`${texts.length} lines answered of ${transfers.length}`);
  for (const text of texts) {
    const answer = JSON.parse(text) as { line: number; status: number };
    const { from, to, amount } = transfers[answer.line - 1] as Transfer;
    if (answer.status === 200) ledger.add(from, to, amount);
    else mustBeDeclared(answer.status, text);
  }
}
