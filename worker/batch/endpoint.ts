/** `POST /v1/batch`: NDJSON invocations in, each a transaction of its own; NDJSON results out, as they come or in order. */
import type { RoutedBatch, RoutedFrame } from "../../core-wasm/types.ts";
import { INVOKE, INVOKE_COLUMN } from "../../protocol/wire/invoke.ts";
import { invariant } from "../../protocol/assert.ts";
import { logEntry } from "../../protocol/observe/log-entry.ts";
import { queryParameter } from "../address.ts";
import type { Backend } from "../backend.ts";
import { readBody, requireNdjson } from "../body.ts";
import { denied } from "../door/rules.ts";
import { arrived, type Edge } from "../edge.ts";
import { answerHeaders, NDJSON_TYPE } from "../headers.ts";
import { clientBatchScope, edgeIdPrefix, idempotencyKey } from "../idempotency.ts";
import { limitOf, LIMITS } from "../limits.ts";
import { type ProblemError, refuse } from "../problems.ts";
import { withRetries } from "../retries.ts";
import { runLane, type BatchRun } from "./lane.ts";
import { type AllowedFrames, allowedFrames } from "./allowed.ts";
import { faultLine, problemLine, tooLargeLine } from "./lines.ts";
import { Output } from "./output.ts";
import { CompletionOrder, InputOrder, type Results } from "./results.ts";

/** Runs a batch. The answer starts as soon as the lines are routed, with status 200: what befalls a line is in its result. */
export async function postBatch(coming: Edge): Promise<Response> {
  const { app, backend, request } = coming;
  requireNdjson(request);
  const ordered = orderedParameter(request.url);
  const clientKey = idempotencyKey(request);
  const body = await readBody(request, limitOf(app, "batchBytes"));
  const edge = arrived(coming);
  const batch = await route(edge, body, clientKey);
  const output = new Output();
  const results = ordered ? inputOrder(backend, batch, output) : new CompletionOrder(output);
  const deadline = edge.startedAt + LIMITS.batchDeadlineMs;
  // Not awaited: it feeds the body of the response, which keeps the request alive.
  void runBatch({ backend, results, output, deadline, clientIds: clientKey !== null }, batch);
  return new Response(output.stream, { headers: answerHeaders(request, NDJSON_TYPE) });
}

/** A batch on its way: what is sent, and what ends here. */
interface Batch {
  /** Lines of the body, blank ones included. */
  readonly lines: number;
  readonly frames: readonly RoutedFrame[];
  /** Results of lines that are in no frame. */
  readonly ended: ReadonlyArray<{ readonly line: number; readonly text: string }>;
}

async function route(
  { app, door, backend, request, caller, startedAt }: Edge,
  body: Uint8Array,
  clientKey: string | null,
): Promise<Batch> {
  const clientScope = clientKey === null ? null : clientBatchScope(caller.id, "POST", ["batch"], clientKey);
  const map = await withRetries(backend, startedAt + LIMITS.requestDeadlineMs, () => backend.keyGroupMap());
  const maxLines = limitOf(app, "batchLines");
  const batch = backend.kernels().routeBatch(body, {
    spec: INVOKE,
    groups: map.groups,
    edgeId: edgeIdPrefix(startedAt, backend.uuid()),
    clientScope,
    maxRows: LIMITS.frameRows,
    maxBytes: LIMITS.frameBytes,
    maxLines,
  });
  if (batch.tooManyLines)
    throw refuse("batch-too-large", `a batch has at most ${maxLines} lines; nothing was run`, { limit: maxLines });
  // Blank lines are free: who sends a batch again may leave out what has its result.
  const wanted = batch.frames.reduce((rows, frame) => rows + frame.rows, batch.faults.length);
  door.countLines(request, caller, wanted, startedAt);
  const allowed = allowedFrames(backend.kernels(), app, caller, batch.frames);
  return batchOf(batch, allowed, denied(caller), limitOf(app, "callBytes"));
}

function batchOf(
  { lines, faults }: RoutedBatch,
  allowed: AllowedFrames,
  { problem }: ProblemError,
  callBytes: number,
): Batch {
  const text = JSON.stringify(problem);
  const ended = [
    ...faults.map((fault) => ({ line: fault.line, text: faultLine(fault) })),
    ...allowed.denied.map((line) => ({ line, text: problemLine(line, problem, text) })),
    ...allowed.tooLarge.map((line) => ({ line, text: tooLargeLine(line, callBytes) })),
  ];
  return { lines, frames: allowed.frames, ended };
}

async function runBatch(run: BatchRun, batch: Batch): Promise<void> {
  const { results, output } = run;
  try {
    for (const { line, text } of batch.ended) results.add(line, text);
    results.flush();
    await Promise.all(lanesOf(batch.frames).map((frames) => runLane(run, frames)));
    invariant(output.cancelled || results.added === countResults(batch), "a line of the batch has no result");
    output.close();
  } catch (error) {
    console.error(logEntry("tidegate: a batch failed at the edge", { error }));
    output.fail(new Error("the batch failed; the log of the Worker has the cause"));
  }
}

function lanesOf(frames: readonly RoutedFrame[]): RoutedFrame[][] {
  const lanes = new Map<number, RoutedFrame[]>();
  for (const frame of frames) {
    const lane = lanes.get(frame.partition);
    if (lane === undefined) lanes.set(frame.partition, [frame]);
    else lane.push(frame);
  }
  return [...lanes.values()];
}

function countResults({ frames, ended }: Batch): number {
  return frames.reduce((sum, frame) => sum + frame.rows, ended.length);
}

function inputOrder(backend: Backend, { lines, frames, ended }: Batch, output: Output): Results {
  const expected = new Uint8Array(lines + 1);
  const firstLines = new Map<RoutedFrame, number>();
  for (const { line } of ended) expected[line] = 1;
  for (const frame of frames) {
    const table = backend.kernels().unpack(INVOKE, frame.bytes);
    firstLines.set(frame, table.column(0, INVOKE_COLUMN.line));
    for (let row = 0; row < table.rows; row++) expected[table.column(row, INVOKE_COLUMN.line)] = 1;
  }
  return new InputOrder(output, expected, firstLines);
}

function orderedParameter(url: string): boolean {
  const ordered = queryParameter(url, "ordered");
  if (ordered === undefined || ordered === "0") return false;
  if (ordered === "1") return true;
  throw refuse("invalid-parameter", "?ordered= is 0 or 1");
}
