/** One process of the list-append workload: one transaction after the other, each repeated until it is answered, all of it recorded. */
import type { HistoryRecorder } from "../../../../sim/checkers/history-recorder.ts";
import type { MicroOp } from "../../../../sim/checkers/history.ts";
import type { ListOperation, ListResults } from "../../../app/src/lists.ts";
import type { Load } from "../load.ts";
import { queryPath, type Request, untilAnswered } from "../until-answered.ts";
import type { Transaction, Workload } from "./workload.ts";

/** Lists read by one query at the end. */
const READ_AT_ONCE = 8;

export async function listClient(
  load: Load,
  workload: Workload,
  history: HistoryRecorder,
  process: string,
): Promise<void> {
  for (let n = 0; !load.stopping; n++) {
    await execute(load, workload.next(), history, process, `${process}.${n}`);
    load.answered += 1;
  }
}

/** Reads every list that was ever used; its final state is part of the history. */
/** Reads every list that was ever used; its final state is part of the history. */
export async function readFinally(load: Load, workload: Workload, history: HistoryRecorder): Promise<void> {
  const { keys } = workload;
  for (let at = 0; at < keys.length; at += READ_AT_ONCE) {
    await execute(load, { kind: "read", keys: keys.slice(at, at + READ_AT_ONCE) }, history, "final", `final.${at}`);
  }
}

async function execute(
  load: Load,
  transaction: Transaction,
  history: HistoryRecorder,
  process: string,
  name: string,
): Promise<void> {
  const operations = operationsOf(transaction);
  history.invoke(name, process, microOps(operations, null));
  const answer = await untilAnswered(load, requestOf(transaction, operations, name));
  if (answer === null) return history.info(name);
  const refused = transaction.kind === "write" && transaction.refuse;
  if (answer.status !== (refused ? 409 : 200)) load.faults.push(`${name} was answered ${answer.status} ${answer.text}`);
  if (answer.status === 200) history.ok(name, microOps(operations, JSON.parse(answer.text) as ListResults));
  else if (answer.status < 500) history.fail(name);
  else history.info(name);
}

/** Operations with what they showed, as far as that is known. */
function microOps(operations: readonly ListOperation[], results: ListResults | null): MicroOp[] {
  return operations.map(([op, key, value], at) =>
    op === "append" ? ["append", key, value] : ["read", key, results?.[at] ?? null],
  );
}

function operationsOf(transaction: Transaction): readonly ListOperation[] {
  return transaction.kind === "write" ? transaction.operations : transaction.keys.map((key) => ["read", key, null]);
}

function requestOf(transaction: Transaction, operations: readonly ListOperation[], name: string): Request {
  const root = operations[0]?.[1] ?? "";
  if (transaction.kind === "read") return { path: queryPath("lists", root, "readAll", { keys: transaction.keys }) };
  const { shape, refuse } = transaction;
  const body = JSON.stringify({ operations, refuse });
  return { path: `/v1/services/lists/${root}/${shape}`, post: { body, idempotencyKey: name } };
}
