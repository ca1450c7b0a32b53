/** Rows of what partitions tell the coordinator. */
import type { ClosedMessage, FinishCount, RecordReport, ReportMessage } from "../messages.ts";
import { formatNamed, KIND, type RowReader, type RowWriter } from "./rows.ts";
import { eachTuple, formatTuples, malformed, parseMap } from "./structure.ts";

/** Flags of `closed`. */
const REJOIN = 1;
const ORDERED = 2;

const RECORD = /^(\d{1,16})=(.*)$/;

export function writeReport(out: RowWriter, message: ReportMessage): void {
  switch (message.kind) {
    case "hello":
      return out.begin(KIND.hello).u32(message.reads).wide(message.recorded).end();
    case "join":
      return out.begin(KIND.join).end();
    case "report":
      out.begin(KIND.report, Number(message.damaged)).u32(message.generation).wide(message.decided).u32(message.reads);
      return out.end(formatRecords(message.records));
    case "closed":
      out.begin(KIND.closed, (message.rejoin ? REJOIN : 0) | (message.ordered ? ORDERED : 0));
      out.wide(message.epoch).wide(message.tagged);
      return out.end(formatCounts(message.counts));
    case "moved":
      out.begin(KIND.moved).u32(message.version).u32(message.source).u32(message.sourceIncarnation);
      return out.wide(message.frozen).end();
    case "want":
    case "prepared":
    case "decided":
    case "refuse":
      return out.begin(KIND[message.kind]).wide(message.epoch).end();
  }
}

/** Null for a kind that is not among these. */
export function readReport(kind: number, row: RowReader): ReportMessage | null {
  switch (kind) {
    case KIND.hello:
      return { kind: "hello", reads: formatNamed(row.u32()), recorded: row.wide() };
    case KIND.join:
      return { kind: "join" };
    case KIND.report:
      return {
        kind: "report",
        damaged: row.flag(),
        generation: row.u32(),
        decided: row.wide(),
        reads: formatNamed(row.u32()),
        records: parseRecords(row.extra),
      };
    case KIND.closed:
      return readClosed(row);
    case KIND.want:
      return { kind: "want", epoch: row.wide() };
    case KIND.prepared:
      return { kind: "prepared", epoch: row.wide() };
    case KIND.decided:
      return { kind: "decided", epoch: row.wide() };
    case KIND.moved:
      return {
        kind: "moved",
        version: row.u32(),
        source: row.u32(),
        sourceIncarnation: row.u32(),
        frozen: row.wide(),
      };
    case KIND.refuse:
      return { kind: "refuse", epoch: row.wide() };
    default:
      return null;
  }
}

function readClosed(row: RowReader): ClosedMessage {
  const counts: FinishCount[] = [];
  eachTuple(row.extra, 3, ([peer = 0, incarnation = 0, finishes = 0]) => {
    counts.push({ peer, incarnation, finishes });
  });
  const flags = row.flags(REJOIN | ORDERED);
  const how = { rejoin: (flags & REJOIN) !== 0, ordered: (flags & ORDERED) !== 0 };
  return { kind: "closed", ...how, epoch: row.wide(), tagged: row.wide(), counts };
}

function formatCounts(counts: readonly FinishCount[]): string {
  return formatTuples(counts.map(({ peer, incarnation, finishes }) => [peer, incarnation, finishes]));
}

export function formatRecords(records: readonly RecordReport[]): string {
  return records.map(({ epoch, parts }) => `${epoch}=${formatTuples(parts)}`).join(";");
}

/** @throws CorruptError */
export function parseRecords(text: string): RecordReport[] {
  if (text === "") return [];
  return text.split(";").map((part) => {
    const [, epoch = "", parts = ""] = RECORD.exec(part) ?? malformed("a record without its epoch");
    if (!Number.isSafeInteger(Number(epoch))) malformed("an epoch beyond 53 bits");
    return { epoch: Number(epoch), parts: parseMap(parts) };
  });
}
