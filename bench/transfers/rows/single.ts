/** One HTTP request for each transfer, beside a hand-written object in the same process: many at a time, and one after the other. */
import { pick, rowOf, type Row } from "../../lib/report.ts";
import { counted } from "../../lib/turns.ts";
import { uniform } from "../accounts.ts";
import type { TransferOptions } from "../options.ts";
import { bareRun, type SingleFigures, transferRun } from "../single-run.ts";
import { onStage } from "../stage.ts";
import { most, share } from "./common.ts";

const CONCURRENCY = 128;

interface Turn {
  readonly write: SingleFigures;
  readonly nothing: SingleFigures;
  readonly transfer: SingleFigures;
}

function inTurns(options: TransferOptions, connections: number): Promise<Turn[]> {
  return onStage(options, uniform(options.keys), (stage) => {
    const turn = async (): Promise<Turn> => {
      const write = await bareRun(stage, connections, "deposit");
      const nothing = await bareRun(stage, connections, "nothing");
      return { write, nothing, transfer: await transferRun(stage, connections) };
    };
    return counted(options.runs, turn, ({ transfer }) => transfer.transfers);
  });
}

export async function oneRows(options: TransferOptions): Promise<Row[]> {
  const turns = await inTurns(options, CONCURRENCY);
  const [write, nothing, transfer] = split(turns);
  return [
    rowOf(`bare durable write, concurrency ${CONCURRENCY}`, "/s", pick(write, "perSecond"), undefined, note(write)),
    rowOf(
      `bare call of nothing, concurrency ${CONCURRENCY}`,
      "/s",
      pick(nothing, "perSecond"),
      undefined,
      note(nothing),
    ),
    rowOf(
      `transfer a request, concurrency ${CONCURRENCY}`,
      "/s",
      pick(transfer, "perSecond"),
      undefined,
      note(transfer),
    ),
    rowOf("  median latency", "ms", pick(transfer, "p50")),
    rowOf("  p99 latency", "ms", pick(transfer, "p99")),
    rowOf("  workerd's CPU a transfer", "ms", pick(transfer, "cpuMs")),
    rowOf("  ratio to the bare write", "x", ratios(transfer, write, "perSecond"), { figure: 0.7, goal: 1.2 }),
    rowOf("  ratio to the bare call", "x", ratios(transfer, nothing, "perSecond"), { figure: 0.7 }),
  ];
}

export async function aloneRows(options: TransferOptions): Promise<Row[]> {
  const [write, nothing, transfer] = split(await inTurns(options, 1));
  return [
    rowOf("bare durable write, alone, median latency", "ms", pick(write, "p50")),
    rowOf("bare call of nothing, alone, median latency", "ms", pick(nothing, "p50")),
    rowOf("transfer, alone, median latency", "ms", pick(transfer, "p50")),
    rowOf("  p99 latency", "ms", pick(transfer, "p99")),
    rowOf("  ratio to the bare write", "x", ratios(transfer, write, "p50"), { figure: 3, goal: 2, atMost: true }),
  ];
}

function split(turns: readonly Turn[]): [SingleFigures[], SingleFigures[], SingleFigures[]] {
  return [turns.map((turn) => turn.write), turns.map((turn) => turn.nothing), turns.map((turn) => turn.transfer)];
}

/** Of runs of the same turn. */
function ratios(
  these: readonly SingleFigures[],
  those: readonly SingleFigures[],
  figure: "perSecond" | "p50",
): number[] {
  return these.map((run, turn) => run[figure] / (those[turn] as SingleFigures)[figure]);
}

function note(runs: readonly SingleFigures[]): string {
  return `driver at most ${share(most(runs, "driverCpu"))} of a core`;
}
