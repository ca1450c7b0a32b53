/** One run of batches: made, driven, repeated in part, audited; then it has figures. */
import { closedLoop, type Drive, openLoop, quantile } from "../lib/drive.ts";
import { auditRun } from "./audit.ts";
import { type BatchJobs, batchJobs } from "./batch-jobs.ts";
import { BATCH_LINES, makeBatch, makeBatches, shareAcross } from "./batches.ts";
import { repeatBatches } from "./repeats.ts";
import { APP_PORT, type Stage } from "./stage.ts";

/** Transfers made for a second of a run, so many that few bodies are sent twice. */
const MADE_PER_SECOND = 50_000;
const MADE_AT_MOST = 500_000;

export interface BatchFigures {
  readonly transfers: number;
  readonly perSecond: number;
  /** From when a batch was due to its last line. */
  readonly p50: number;
  readonly p99: number;
  readonly batches: number;
  readonly refused: number;
  readonly across: number;
  /** Transfers for each second of workerd's CPU. */
  readonly perCpuSecond: number;
  readonly driverCpu: number;
  /** CPU of workerd as a share of one core. */
  readonly workerdCpu: number;
}

/** Keeps `atOnce` batches under way. */
export function closedRun(stage: Stage): Promise<BatchFigures> {
  const { atOnce, seconds } = stage.options;
  return run(stage, ({ next }) => closedLoop({ port: APP_PORT, connections: atOnce, seconds, next }));
}

/** Sends batches at fixed times. */
export function openRun(stage: Stage, transfersPerSecond: number): Promise<BatchFigures> {
  const perSecond = transfersPerSecond / BATCH_LINES;
  return run(stage, ({ next }) => openLoop({ port: APP_PORT, perSecond, seconds: stage.options.seconds, next }));
}

async function run(stage: Stage, drive: (jobs: BatchJobs) => Promise<Drive>): Promise<BatchFigures> {
  const { ledger, random, workerd } = stage;
  const draw = stage.skew.draw(random);
  const made = Math.min(MADE_AT_MOST, MADE_PER_SECOND * stage.options.seconds);
  const pool = makeBatches(Math.ceil(made / BATCH_LINES), draw, random);
  const jobs = batchJobs(pool, ledger);
  const cpuBefore = await workerd.cpuSeconds();
  const driven = await stage.timed(() => drive(jobs));
  const cpu = (await workerd.cpuSeconds()) - cpuBefore;
  await repeatBatches(APP_PORT, jobs.recent, makeBatch(draw, random), ledger);
  await auditRun(APP_PORT, ledger);
  return {
    transfers: jobs.acknowledged,
    perSecond: (jobs.acknowledged / driven.elapsedMs) * 1000,
    p50: quantile(driven.latencies, 0.5),
    p99: quantile(driven.latencies, 0.99),
    batches: driven.jobs,
    refused: jobs.refused,
    across: shareAcross(pool, stage.partitions),
    perCpuSecond: jobs.acknowledged / cpu,
    driverCpu: driven.driverCpu,
    workerdCpu: (cpu * 1000) / driven.elapsedMs,
  };
}
