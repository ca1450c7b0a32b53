/**
 * One lane of a batch: the frames first routed to one partition, one after the other, so that lines with one key run in order whatever is
 * retried. Lanes run side by side; they share no key.
 */
import type { RoutedFrame, Table } from "../../core-wasm/types.ts";
import { invariant } from "../../protocol/assert.ts";
import { ANSWER, ANSWER_COLUMN, ANSWER_FIELD, ANSWER_FLAG } from "../../protocol/wire/answer.ts";
import { INVOKE, INVOKE_COLUMN, INVOKE_FIELD } from "../../protocol/wire/invoke.ts";
import type { Backend } from "../backend.ts";
import { partitionOf } from "../keys.ts";
import { LIMITS } from "../limits.ts";
import { problemFor, refuse, type ProblemError } from "../problems.ts";
import { backoff, type Doubt, mapInMotion, noDoubt, sleep, undone, unknownOutcome, withRetries } from "../retries.ts";
import { problemLine, resultLine } from "./lines.ts";
import type { Output } from "./output.ts";
import type { Results } from "./results.ts";

export interface BatchRun {
  readonly backend: Backend;
  readonly results: Results;
  readonly output: Output;
  /** No frame is sent first after this. */
  readonly deadline: number;
  /** Whether request ids come from the client, and so replays are news to it. */
  readonly clientIds: boolean;
}

/** Sends the frames and passes on a result for each of their lines, unless the reader goes away. Does not reject. */
export async function runLane(run: BatchRun, frames: readonly RoutedFrame[]): Promise<void> {
  let closed: ProblemError | undefined;
  for (const frame of frames) {
    await run.results.room(frame);
    if (run.output.cancelled) return;
    if (run.backend.now() > run.deadline) closed ??= tooLate();
    if (closed === undefined) {
      if (!(await answerFrame(run, frame, { round: 1, doubt: noDoubt() }))) closed = notSent();
    } else {
      refuseLines(run, frame.bytes, closed, undefined);
    }
    run.results.flush();
  }
}

/** How far lines have come that look for where their key group has moved to. */
interface Round {
  readonly round: number;
  readonly doubt: Doubt;
}

/** False when the partition did not answer; the frame's lines then have a problem each. */
async function answerFrame(run: BatchRun, frame: RoutedFrame, at: Round): Promise<boolean> {
  let table: Table;
  try {
    const deadline = run.backend.now() + LIMITS.requestDeadlineMs;
    table = await withRetries(run.backend, deadline, () => send(run.backend, frame, at.doubt), at.doubt);
  } catch (error) {
    refuseLines(run, frame.bytes, problemFor(error), undefined);
    return false;
  }
  const stale = addResults(run, table, at.doubt);
  return stale.size === 0 || sendElsewhere(run, frame.bytes, stale, at);
}

async function send(backend: Backend, { partition, rows, bytes }: RoutedFrame, doubt: Doubt): Promise<Table> {
  doubt.sent = true;
  const table = backend.kernels().unpack(ANSWER, await backend.partition(partition).invoke(bytes));
  invariant(table.rows === rows, "an answer has not one row for each of its frame");
  return table;
}

/**
 * Passes on the rows that are results; returns the lines of those that are not, because their key group has moved.
 * Rows that say `retryable` are results too: lines with the same key may have run since, so that sending them again would change the order.
 */
function addResults({ results, clientIds }: BatchRun, table: Table, doubt: Doubt): Set<number> {
  const stale = new Set<number>();
  for (let row = 0; row < table.rows; row++) {
    const line = table.column(row, ANSWER_COLUMN.line);
    const flags = table.column(row, ANSWER_COLUMN.flags);
    if ((flags & ANSWER_FLAG.staleMap) !== 0) {
      stale.add(line);
      continue;
    }
    if ((flags & ANSWER_FLAG.retryable) !== 0 && doubt.mayHaveRun) {
      results.add(line, problemLine(line, unknownOutcome().problem));
      continue;
    }
    const status = table.column(row, ANSWER_COLUMN.status);
    const replayed = clientIds && (flags & ANSWER_FLAG.replayed) !== 0;
    results.add(line, resultLine(line, status, table.field(row, ANSWER_FIELD.body), replayed));
  }
  return stale;
}

/** Sends some lines of a frame by the newest map. It happens inside the lane, so that the lane's later frames still come later. */
async function sendElsewhere(run: BatchRun, bytes: Uint8Array, lines: Set<number>, at: Round): Promise<boolean> {
  const { round, doubt } = at;
  if (round >= LIMITS.attempts) {
    refuseLines(run, bytes, undone(doubt, mapInMotion()), lines);
    return false;
  }
  if (round > 1) await sleep(backoff(round));
  let frames: RoutedFrame[];
  try {
    run.backend.refreshMap();
    frames = await reroute(run.backend, bytes, lines);
  } catch (error) {
    refuseLines(run, bytes, undone(doubt, problemFor(error)), lines);
    return false;
  }
  let answered = true;
  // Each with a doubt of its own from here on: what becomes of one says nothing of the others.
  for (const frame of frames) {
    answered = (await answerFrame(run, frame, { round: round + 1, doubt: { ...doubt } })) && answered;
  }
  return answered;
}

async function reroute(backend: Backend, bytes: Uint8Array, lines: Set<number>): Promise<RoutedFrame[]> {
  const map = await withRetries(backend, backend.now() + LIMITS.requestDeadlineMs, () => backend.keyGroupMap());
  const kernels = backend.kernels();
  const table = kernels.unpack(INVOKE, bytes);
  const rowsOf = new Map<number, number[]>();
  for (let row = 0; row < table.rows; row++) {
    if (!lines.has(table.column(row, INVOKE_COLUMN.line))) continue;
    const partition = partitionOf(kernels, map, table.field(row, INVOKE_FIELD.key));
    const rows = rowsOf.get(partition);
    if (rows === undefined) rowsOf.set(partition, [row]);
    else rows.push(row);
  }
  return [...rowsOf].map(([partition, rows]) => {
    const columns = rows.flatMap((row) => Array.from({ length: INVOKE.columns }, (_, at) => table.column(row, at)));
    const fields = rows.flatMap((row) => Array.from({ length: INVOKE.fields }, (_, at) => table.field(row, at)));
    return { partition, rows: rows.length, bytes: kernels.pack(INVOKE, { rows: rows.length, columns, fields }) };
  });
}

/** Ends lines of a frame, by default all, with one problem. */
function refuseLines(
  { backend, results }: BatchRun,
  bytes: Uint8Array,
  { problem }: ProblemError,
  only?: Set<number>,
): void {
  const table = backend.kernels().unpack(INVOKE, bytes);
  const text = JSON.stringify(problem);
  for (let row = 0; row < table.rows; row++) {
    const line = table.column(row, INVOKE_COLUMN.line);
    if (only === undefined || only.has(line)) results.add(line, problemLine(line, problem, text));
  }
}

function tooLate(): ProblemError {
  return refuse("deadline-exceeded", "the batch took too long; this line was not sent", { retryable: true });
}

function notSent(): ProblemError {
  return refuse("overloaded", "an earlier line's partition did not answer; this line was not sent", {
    retryable: true,
  });
}
