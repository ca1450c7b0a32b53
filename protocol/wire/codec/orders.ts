/** Rows of what the coordinator tells partitions. */
import type { OrderMessage, PrepareMessage } from "../messages.ts";
import { formatNamed, KIND, type RowReader, type RowWriter } from "./rows.ts";
import { formatTuples, malformed, parseMap, parsePairs } from "./structure.ts";

/** Flag of `joined`. With 1 a coordinator of version 4 says that nobody else is a member, and decides itself: to the member that is an epoch like any other. */
const SOLE = 2;

export function writeOrder(out: RowWriter, message: OrderMessage): void {
  switch (message.kind) {
    case "recover":
      return out.begin(KIND.recover).u32(message.generation).end();
    case "era":
      out.begin(KIND.era, Number(message.frozen)).u32(message.generation);
      out.wide(message.base).wide(message.open).wide(message.committed).u32(message.format);
      return out.end(formatTuples(message.aborted), message.map, message.next);
    case "prepare":
      out.begin(KIND.prepare, Number(message.decides)).wide(message.epoch).wide(message.previous);
      return out.end(`${formatTuples(message.parts)}|${formatTuples(message.expect)}`);
    case "joined":
      return out
        .begin(KIND.joined, message.sole ? SOLE : 0)
        .wide(message.epoch)
        .wide(message.previous)
        .end();
    case "close":
    case "decide":
      return out.begin(KIND[message.kind]).wide(message.epoch).end();
  }
}

/** Null for a kind that is not among these. */
export function readOrder(kind: number, row: RowReader): OrderMessage | null {
  switch (kind) {
    case KIND.recover:
      return { kind: "recover", generation: row.u32() };
    case KIND.era:
      return {
        kind: "era",
        frozen: row.flag(),
        generation: row.u32(),
        base: row.wide(),
        open: row.wide(),
        committed: row.wide(),
        format: formatNamed(row.u32()),
        aborted: parsePairs(row.extra),
        map: row.service,
        next: row.key,
      };
    case KIND.prepare:
      return readPrepare(row);
    case KIND.joined:
      return { kind: "joined", sole: row.flags(SOLE) === SOLE, epoch: row.wide(), previous: row.wide() };
    case KIND.close:
      return { kind: "close", epoch: row.wide() };
    case KIND.decide:
      return { kind: "decide", epoch: row.wide() };
    default:
      return null;
  }
}

function readPrepare(row: RowReader): PrepareMessage {
  const [parts, expect, ...more] = row.extra.split("|");
  if (parts === undefined || expect === undefined || more.length > 0) malformed("a prepare without its participants");
  return {
    kind: "prepare",
    decides: row.flag(),
    epoch: row.wide(),
    previous: row.wide(),
    parts: parseMap(parts),
    expect: parseMap(expect),
  };
}
