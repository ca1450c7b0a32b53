/** Load from this process: a closed loop keeps a number of requests under way, an open loop sends them at fixed times. */
import type { HttpAnswer } from "./http-answer.ts";
import { HttpConnection, type HttpRequest } from "./http-connection.ts";

/** A request, and what is done with its answer. `take` throws when the run has no figure. */
export interface Job {
  readonly request: HttpRequest;
  take(answer: HttpAnswer): void;
}

export interface Drive {
  readonly jobs: number;
  readonly elapsedMs: number;
  /** Of all jobs, ascending; in an open loop from the time at which the job was due. */
  readonly latencies: readonly number[];
  /** CPU of this process as a share of one core: near 1 it would be the bottleneck. */
  readonly driverCpu: number;
}

/** Connections of an open loop; jobs that are due while all are in use wait, and their latency counts the wait. */
const OPEN_LOOP_CONNECTIONS = 64;

export interface ClosedLoop {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  next(): Job;
}

export async function closedLoop({ port, connections, seconds, next }: ClosedLoop): Promise<Drive> {
  return withConnections(port, connections, async (open) => {
    const meter = startMeter();
    const until = meter.began + seconds * 1000;
    const loop = async (connection: HttpConnection): Promise<void> => {
      while (performance.now() < until) await meter.run(connection, next(), performance.now());
    };
    await Promise.all(open.map(loop));
    return meter.stop();
  });
}

export interface OpenLoop {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  next(): Job;
}

export async function openLoop({ port, perSecond, seconds, next }: OpenLoop): Promise<Drive> {
  const jobs = Math.max(1, Math.round(perSecond * seconds));
  return withConnections(port, Math.min(OPEN_LOOP_CONNECTIONS, jobs), async (open) => {
    const meter = startMeter();
    let sent = 0;
    // Every idle connection takes the next job that is due.
    const loop = async (connection: HttpConnection): Promise<void> => {
      while (sent < jobs) {
        const due = meter.began + (sent++ * 1000) / perSecond;
        const job = next();
        await until(due);
        await meter.run(connection, job, due);
      }
    };
    await Promise.all(open.map(loop));
    return meter.stop();
  });
}

interface Meter {
  readonly began: number;
  run(connection: HttpConnection, job: Job, since: number): Promise<void>;
  stop(): Drive;
}

function startMeter(): Meter {
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const began = performance.now();
  return {
    began,
    run: async (connection, job, since) => {
      const answer = await connection.post(job.request);
      latencies.push(performance.now() - since);
      job.take(answer);
    },
    stop: () => {
      const elapsedMs = performance.now() - began;
      const { user, system } = process.cpuUsage(cpu);
      latencies.sort((a, b) => a - b);
      return { jobs: latencies.length, elapsedMs, latencies, driverCpu: (user + system) / 1000 / elapsedMs };
    },
  };
}

/** Opens connections for `use` and closes them behind it. */
export async function withConnections<T>(
  port: number,
  count: number,
  use: (open: readonly HttpConnection[]) => Promise<T>,
): Promise<T> {
  const open = await Promise.all(Array.from({ length: count }, () => HttpConnection.open(port)));
  try {
    return await use(open);
  } finally {
    for (const connection of open) connection.close();
  }
}

async function until(due: number): Promise<void> {
  const wait = due - performance.now();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
}

/** The value below which a share of sorted values lie. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
