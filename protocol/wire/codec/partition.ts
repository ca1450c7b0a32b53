/** Rows of what partitions say to each other, calls and answers apart. */
import type { MoveMessage, PartitionMessage } from "../messages.ts";
import { REQUEST_ID_LENGTH } from "../invoke.ts";
import { KIND, type RowReader, type RowWriter } from "./rows.ts";
import { malformed } from "./structure.ts";
import { formatPlaces, parsePlaces } from "./transaction.ts";

/** What a sole member and its participants say of their epoch has the rows of what the coordinator and its partitions do. */
type Message = Exclude<PartitionMessage, { kind: "call" | "answer" | EpochKind } | MoveMessage>;
type EpochKind = "prepare" | "prepared" | "refuse" | "decide";

/** In the column in which a post says whether it is the last try. */
export const SETTLED = 2;
const GIVE_UP = 3;

export function writePartition(out: RowWriter, message: Message): void {
  switch (message.kind) {
    case "finish":
      return out.begin(KIND.finish, Number(message.drop)).id(message.id).wide(message.epoch).end();
    case "abort":
      return out.begin(KIND.abort).id(message.id).end();
    case "kill":
      return out.begin(KIND.kill).id(message.id).end();
    case "inquire":
      return out.begin(KIND.inquire).id(message.id).end();
    case "ping":
      return out.begin(KIND.ping).end();
    case "chase":
      out.begin(KIND.chase, Number(message.tried)).id(message.id).place(message.origin);
      out.wide(message.callId).u32(message.hops).u32(message.probe);
      return out.end(formatPlaces(message.path));
    case "cycle":
      return out.begin(KIND.cycle).id(message.id).wide(message.activation).end();
    case "scope-end":
      return out.begin(KIND.scopeEnd, Number(message.undo)).id(message.id).place(message.scope).end();
    case "scope-ended":
      return out.begin(KIND.scopeEnded).id(message.id).place(message.scope).end();
    case "post":
      // Beside the flags, of which older code refuses those that it does not know.
      out.begin(KIND.post, Number(message.coded)).u32(message.giveUp ? GIVE_UP : Number(message.last));
      return out.end(message.requestId, message.service, message.key, message.name, message.input);
    case "settled":
      // Older code takes it for the first of them handed over again, which it answers, and nobody hears that.
      return out
        .begin(KIND.post)
        .u32(SETTLED)
        .end(message.requestIds[0] ?? "", "", "", "", message.requestIds.join(""));
    case "posted":
      out.begin(KIND.posted, Number(message.done)).u32(Number(message.dead));
      return out.end(message.requestId, "", "", "", message.error);
    case "too-old":
      return out.begin(KIND.tooOld).id(message.id).wide(message.decided).end();
  }
}

/** Null for a kind that is not among these. */
export function readPartition(kind: number, row: RowReader): Message | null {
  switch (kind) {
    case KIND.finish:
      return { kind: "finish", drop: row.flag(), id: row.id(), epoch: row.wide() };
    case KIND.abort:
      return { kind: "abort", id: row.id() };
    case KIND.kill:
      return { kind: "kill", id: row.id() };
    case KIND.inquire:
      return { kind: "inquire", id: row.id() };
    case KIND.ping:
      return { kind: "ping" };
    case KIND.chase:
      return readChase(row);
    case KIND.cycle:
      return { kind: "cycle", id: row.id(), activation: row.wide() };
    case KIND.scopeEnd:
      return { kind: "scope-end", undo: row.flag(), id: row.id(), scope: row.place() };
    case KIND.scopeEnded:
      return { kind: "scope-ended", id: row.id(), scope: row.place() };
    case KIND.post:
      return readPost(row);
    case KIND.posted:
      return { kind: "posted", requestId: row.extra, done: row.flag(), dead: row.u32() === 1, error: row.body };
    case KIND.tooOld:
      return { kind: "too-old", id: row.id(), decided: row.wide() };
    default:
      return null;
  }
}

function readChase(row: RowReader): Message {
  return {
    kind: "chase",
    tried: row.flag(),
    id: row.id(),
    origin: row.place(),
    callId: row.wide(),
    hops: row.u32(),
    probe: row.u32(),
    path: parsePlaces(row.extra),
  };
}

function readPost(row: RowReader): Message {
  const coded = row.flag();
  const how = row.u32();
  if (how === SETTLED) return { kind: "settled", requestIds: idsOf(row.body) };
  return {
    kind: "post",
    requestId: row.extra,
    service: row.service,
    key: row.key,
    name: row.name,
    input: row.body,
    coded,
    last: how === 1 || how === GIVE_UP,
    giveUp: how === GIVE_UP,
  };
}

function idsOf(text: string): string[] {
  if (text === "" || text.length % REQUEST_ID_LENGTH !== 0) malformed("ids of another length");
  const ids: string[] = [];
  for (let at = 0; at < text.length; at += REQUEST_ID_LENGTH) ids.push(text.slice(at, at + REQUEST_ID_LENGTH));
  return ids;
}
