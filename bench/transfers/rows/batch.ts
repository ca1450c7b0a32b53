/** Batches on keys that are all alike: as many as go, and then four fifths of that at fixed times. */
import { pick, rowOf, type Row } from "../../lib/report.ts";
import { counted } from "../../lib/turns.ts";
import { uniform } from "../accounts.ts";
import { BATCH_LINES } from "../batches.ts";
import { type BatchFigures, closedRun, openRun } from "../batch-run.ts";
import type { TransferOptions } from "../options.ts";
import { onStage } from "../stage.ts";
import { most, share } from "./common.ts";

const GATE = 25_000;
const GOAL = 50_000;
const ACROSS = 0.85;
const OPEN_SHARE = 0.8;
const P99_MS = 250;

interface Turn {
  readonly closed: BatchFigures;
  readonly open: BatchFigures;
}

export async function batchRows(options: TransferOptions): Promise<Row[]> {
  const turns = await onStage(options, uniform(options.keys), (stage) =>
    counted(options.runs, async (): Promise<Turn> => {
      const closed = await closedRun(stage);
      return { closed, open: await openRun(stage, closed.perSecond * OPEN_SHARE) };
    }),
  );
  const closed = turns.map((turn) => turn.closed);
  const open = turns.map((turn) => turn.open);
  return [
    ...closedRows(`/v1/batch, ${BATCH_LINES} lines, ${options.atOnce} at once, uniform`, closed),
    ...openRows(open),
  ];
}

function closedRows(what: string, runs: readonly BatchFigures[]): Row[] {
  return [
    rowOf(what, "/s", pick(runs, "perSecond"), { figure: GATE, goal: GOAL }, loadNote(runs)),
    rowOf("  per second of workerd's CPU", "transfers", pick(runs, "perCpuSecond")),
    rowOf("  median, from sending to last line", "ms", pick(runs, "p50")),
    rowOf("  p99, from sending to last line", "ms", pick(runs, "p99")),
    rowOf("  across two partitions", "of 1", pick(runs, "across"), { figure: ACROSS }),
  ];
}

function openRows(runs: readonly BatchFigures[]): Row[] {
  const batches = `${Math.min(...pick(runs, "batches"))} batches a run or more`;
  return [
    rowOf("open loop at 80 % of that", "/s", pick(runs, "perSecond"), undefined, loadNote(runs)),
    rowOf("  median, from due to last line", "ms", pick(runs, "p50")),
    rowOf("  p99, from due to last line", "ms", pick(runs, "p99"), { figure: P99_MS, atMost: true }, batches),
  ];
}

/** What every row of batches says: the CPU shares, and refusals if there were any. */
export function loadNote(runs: readonly BatchFigures[]): string {
  const refused = most(runs, "refused");
  const cpu = `CPU at most: driver ${share(most(runs, "driverCpu"))}, workerd ${share(most(runs, "workerdCpu"))}`;
  return refused === 0 ? cpu : `${cpu}; at most ${refused} refused a run`;
}
