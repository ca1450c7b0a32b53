/** Rows of what is moved from one partition to another. */
import type { MoveMessage } from "../messages.ts";
import { KIND, type RowReader, type RowWriter } from "./rows.ts";

const STAGES = ["more", "copied", "last"] as const;

export function writeMove(out: RowWriter, message: MoveMessage): void {
  switch (message.kind) {
    case "move-begin":
      return out.begin(KIND.moveBegin).u32(message.version).u32(message.stream).wide(message.frozen).end();
    case "move-chunk":
      out.begin(KIND.moveChunk, STAGES.indexOf(message.stage));
      out.u32(message.stream).wide(message.number).wide(message.frozen);
      return out.end("", "", "", "", message.content);
    case "move-taken":
      return out.begin(KIND.moveTaken, Number(message.enough)).u32(message.stream).wide(message.number).end();
  }
}

/** Null for a kind that is not among these. */
export function readMove(kind: number, row: RowReader): MoveMessage | null {
  switch (kind) {
    case KIND.moveBegin:
      return { kind: "move-begin", version: row.u32(), stream: row.u32(), frozen: row.wide() };
    case KIND.moveChunk:
      return {
        kind: "move-chunk",
        stage: STAGES[row.flags(STAGES.length - 1)] as (typeof STAGES)[number],
        stream: row.u32(),
        number: row.wide(),
        frozen: row.wide(),
        content: row.body,
      };
    case KIND.moveTaken:
      return { kind: "move-taken", enough: row.flag(), stream: row.u32(), number: row.wide() };
    default:
      return null;
  }
}
