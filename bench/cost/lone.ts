/** What a single transfer over two partitions writes when nothing else runs, and what a domain costs that nobody uses. */
import { withConnections } from "../lib/drive.ts";
import type { HttpConnection } from "../lib/http-connection.ts";
import type { Row } from "../lib/report.ts";
import { transferRequest } from "../transfers/requests.ts";
import { APP_PORT, type Stage } from "../transfers/stage.ts";
import { durationDollars } from "./prices.ts";
import { ask, between, look, settled } from "./usage.ts";

const LONE = 20;
const LONE_ROWS = 4;
/** An object hibernates 10 s after its last work; the alarm of one that has kept messages may ring once more. */
const FALLS_ASLEEP_MS = 22_000;
const WATCHED_MS = 15_000;
const MONTH_MS = 30 * 24 * 3600 * 1000;

export async function loneRows(stage: Stage): Promise<Row[]> {
  const rows: number[] = [];
  const requests: number[] = [];
  await settled();
  await withConnections(APP_PORT, 1, async ([connection]) => {
    for (let i = 0; i < LONE; i++) {
      const before = await look();
      await transferAcross(stage, connection as HttpConnection);
      const use = between(before, await settled());
      rows.push(use.rowsWritten);
      requests.push(use.requests);
    }
  });
  const most = (values: readonly number[]): Pick<Row, "value" | "range"> => ({
    value: Math.max(...values),
    range: [Math.min(...values), Math.max(...values)],
  });
  return [
    {
      what: "lone transfer over two partitions, rows written",
      unit: "rows",
      ...most(rows),
      target: { figure: LONE_ROWS, atMost: true },
      note: `the most of ${LONE}; a fold later writes what many have changed together`,
    },
    { what: "  object requests", unit: "", ...most(requests) },
  ];
}

async function transferAcross({ ledger, partitions, random, skew }: Stage, connection: HttpConnection): Promise<void> {
  const draw = skew.draw(random);
  const from = draw();
  let to = draw();
  while (partitions[to] === partitions[from]) to = draw();
  const { status, body } = await connection.post(transferRequest(from, to, 1));
  if (status !== 200) throw new Error(`a lone transfer was answered ${status}: ${body.toString()}`);
  ledger.add(from, to, 1);
}

/** Everybody is left alone until all must hibernate, is watched for a while from outside, and only then asked. */
export async function idleRows(stage: Stage): Promise<Row[]> {
  await sleep(FALLS_ASLEEP_MS);
  const cpuBefore = await stage.workerd.cpuSeconds();
  const before = await look();
  await sleep(WATCHED_MS);
  const after = await look();
  const cpuMs = ((await stage.workerd.cpuSeconds()) - cpuBefore) * 1000;
  const { requests, rowsWritten, busyMs } = between(before, after);
  const asked = await ask();
  const names = Object.keys(after);
  const awake = names.filter((name) => asked[name]?.starts === after[name]?.starts);
  const alarms = names.filter((name) => typeof asked[name]?.alarmAt === "number");
  const nothing = { figure: 0, atMost: true };
  const of = `of ${names.length} objects`;
  return [
    { what: "idle domain, objects that did not hibernate", unit: of, value: awake.length, target: nothing },
    { what: "  alarms that are set", unit: of, value: alarms.length, target: nothing },
    { what: `  object requests in ${WATCHED_MS / 1000} s`, unit: "", value: requests, target: nothing },
    { what: `  rows written in ${WATCHED_MS / 1000} s`, unit: "", value: rowsWritten, target: nothing },
    {
      what: "  dollars a month",
      unit: "$",
      value: durationDollars((busyMs / WATCHED_MS) * MONTH_MS),
      target: nothing,
      note: `the process used ${Math.round(cpuMs)} ms of CPU`,
    },
  ];
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
