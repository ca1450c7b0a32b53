/** Rows of calls and their answers: nearly all that partitions say to each other. */
import { Few } from "../../few.ts";
import type { AnswerMessage, AnswerOutcome, CallMessage, Participants, Place } from "../messages.ts";
import { KIND, type RowReader, type RowWriter } from "./rows.ts";
import { eachTuple, formatTuples, malformed, parseMap } from "./structure.ts";

/** Flags of an answer; a failure's are its index here. */
const OUTCOME = ["value", "nothing", "refusal", "engine", "thrown"] as const;
const CALL_WITHOUT_INPUT = 1;

export function writeCall(out: RowWriter, call: CallMessage): void {
  out.begin(KIND.call, call.input === null ? CALL_WITHOUT_INPUT : 0).id(call.id);
  // Older code reads the caller as a wide, and makes nothing of it: so the high word may say something else, in every version.
  out
    .wide(call.callId)
    .u32(call.caller >>> 0)
    .u32(Number(call.reading));
  out.wide(call.age).wide(call.snapshot).wide(call.at).u32(call.depth);
  const crossed = call.path.length + call.scopes.length;
  const extra = crossed === 0 ? "" : `${formatPlaces(call.path)}|${formatPlaces(call.scopes)}`;
  out.end(extra, call.service, call.key, call.name, call.input ?? "");
}

export function readCall(row: RowReader): CallMessage {
  const bare = row.flag();
  const [path, scopes] = placesIn(row.extra);
  return {
    kind: "call",
    id: row.id(),
    callId: row.wide(),
    caller: row.u32(),
    reading: row.u32() === 1,
    age: row.wide(),
    snapshot: row.wide(),
    at: row.wide(),
    depth: row.u32(),
    path,
    scopes,
    service: row.service,
    key: row.key,
    name: row.name,
    input: bare ? null : row.body,
  };
}

/** Path and scopes; most calls have neither behind them. */
function placesIn(extra: string): readonly [path: readonly Place[], scopes: readonly Place[]] {
  if (extra === "") return NOWHERE_AT_ALL;
  const [path = "", scopes = "", ...more] = extra.split("|");
  if (more.length > 0) malformed("a call with more than paths and scopes");
  return [parsePlaces(path), parsePlaces(scopes)];
}

/** `sender` and its incarnation are the batch's: an answer that nobody else has a part in need not name them. */
export function writeAnswer(out: RowWriter, answer: AnswerMessage, sender: number, incarnation: number): void {
  const { outcome, parts } = answer;
  const kind = outcome.ok ? (outcome.value === null ? "nothing" : "value") : outcome.failure;
  out.begin(KIND.answer, OUTCOME.indexOf(kind)).id(answer.id).wide(answer.callId).wide(answer.clock);
  const alone = parts.size === 1 && parts.get(sender) === incarnation;
  const body = outcome.ok ? (outcome.value ?? "") : outcome.detail;
  out.end(alone ? "" : `=${formatTuples(parts)}`, "", "", "", body);
}

export function readAnswer(row: RowReader, sender: number, incarnation: number): AnswerMessage {
  return {
    kind: "answer",
    outcome: readOutcome(row),
    id: row.id(),
    callId: row.wide(),
    clock: row.wide(),
    parts: readParts(row.extra, sender, incarnation),
  };
}

function readOutcome(row: RowReader): AnswerOutcome {
  const kind = OUTCOME[row.flags(OUTCOME.length - 1)];
  if (kind === "value") return { ok: true, value: row.body };
  if (kind === "nothing" || kind === undefined) return { ok: true, value: null };
  return { ok: false, failure: kind, detail: row.body };
}

function readParts(text: string, sender: number, incarnation: number): Participants {
  if (text === "") return new Few<number, number>().set(sender, incarnation);
  return text.startsWith("=") ? parseMap(text.slice(1)) : malformed("participants do not begin with =");
}

export function formatPlaces(places: readonly Place[]): string {
  return formatTuples(places.map(({ peer, activation }) => [peer, activation]));
}

export function parsePlaces(text: string): readonly Place[] {
  if (text === "") return NOWHERE;
  const places: Place[] = [];
  eachTuple(text, 2, ([peer = 0, activation = 0]) => void places.push({ peer, activation }));
  return places;
}
const NOWHERE: readonly Place[] = [];
const NOWHERE_AT_ALL = [NOWHERE, NOWHERE] as const;
