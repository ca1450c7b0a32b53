/** Durable before reply (invariant 3): an answer leaves only when all that it derives from is durable in every participant. */
import type { Finding } from "./finding.ts";

export type ReplyAnomaly = "reply-before-durable" | "reply-without-record";

/** A partition's record of an epoch, or of its local path, is durable. */
export interface DurableEvent {
  readonly at: number;
  readonly kind: "durable";
  readonly partition: string;
  /** Names what becomes durable together: the epoch, or the partition and its own record's number for the local path. */
  readonly record: string;
  /** Every partition that must have its part of the record, this one and mere readers included. */
  readonly participants: readonly string[];
  /** Requests and messages whose results or writes are in it. */
  readonly ids: readonly string[];
}

export interface ReplyEvent {
  readonly at: number;
  readonly kind: "reply";
  /** Answers that show nothing, such as an overload, have no record and do not belong into the log. */
  readonly id: string;
  /** Others whose writes the answer shows, where the log knows them. */
  readonly saw?: readonly string[];
  /** False of a query whose answer is not kept: only what it saw must be durable. */
  readonly recorded?: boolean;
}

interface DurableRecord {
  readonly name: string;
  readonly participants: Set<string>;
  readonly durable: Set<string>;
}

/** The log is in the order of what happened; events of one instant are, too. */
export function checkDurableBeforeReply(log: readonly (DurableEvent | ReplyEvent)[]): Finding<ReplyAnomaly>[] {
  const records = new Map<string, DurableRecord>();
  /** The records that have an id: more than one where an epoch was aborted and the transaction ran again. */
  const recordsOf = new Map<string, Set<DurableRecord>>();
  const findings: Finding<ReplyAnomaly>[] = [];
  let now = -Infinity;
  for (const event of log) {
    if (event.at < now) throw new Error(`the log goes back from ${now} to ${event.at}`);
    now = event.at;
    if (event.kind === "durable") note(event, records, recordsOf);
    else findings.push(...judge(event, recordsOf));
  }
  return findings;
}

function note(
  { partition, record: name, participants, ids }: DurableEvent,
  records: Map<string, DurableRecord>,
  recordsOf: Map<string, Set<DurableRecord>>,
): void {
  const record = records.get(name) ?? { name, participants: new Set(), durable: new Set() };
  records.set(name, record);
  for (const each of [partition, ...participants]) record.participants.add(each);
  record.durable.add(partition);
  for (const id of ids) {
    const known = recordsOf.get(id) ?? new Set();
    recordsOf.set(id, known.add(record));
  }
}

function judge(
  { at, id, saw = [], recorded = true }: ReplyEvent,
  recordsOf: ReadonlyMap<string, ReadonlySet<DurableRecord>>,
): Finding<ReplyAnomaly>[] {
  return [...(recorded ? [id] : []), ...saw].flatMap((source): Finding<ReplyAnomaly>[] => {
    const known = [...(recordsOf.get(source) ?? [])];
    if (known.some((record) => missingIn(record).length === 0)) return [];
    const answer = `the answer to ${id} left at ${at}${source === id ? "" : ` and shows ${source}`}`;
    const operations = [...new Set([id, source])];
    if (known.length === 0) {
      return [{ anomaly: "reply-without-record", explanation: `${answer}: no record has ${source} yet`, operations }];
    }
    const lacking = known.map((record) => `record ${record.name} is not durable in ${missingIn(record).join(", ")}`);
    return [{ anomaly: "reply-before-durable", explanation: `${answer}: ${lacking.join("; ")}`, operations }];
  });
}

function missingIn({ participants, durable }: DurableRecord): string[] {
  return [...participants].filter((participant) => !durable.has(participant));
}
