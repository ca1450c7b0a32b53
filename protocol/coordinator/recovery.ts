/** What a new generation works out from the records that partitions hold: commits are written nowhere else. */
import { invariant } from "../assert.ts";
import { inRanges } from "../epochs/epoch.ts";
import { LIMITS } from "../limits.ts";
import type { Epoch, Participants, Peer, RecordReport, ReportMessage } from "../wire/messages.ts";
import type { EpochRanges } from "./ranges.ts";

export type Report = Extract<ReportMessage, { kind: "report" }>;

interface Held {
  readonly parts: Participants;
  readonly holders: Set<Peer>;
}

/** An epoch that may be committed, and the damaged partitions whose record of it would tell. */
export interface Undecidable {
  readonly epoch: Epoch;
  readonly partitions: readonly Peer[];
}

export interface Conclusion {
  readonly committed: Epoch;
  /** Set when it cannot be told whether more is committed. */
  readonly undecidable: Undecidable | null;
}

/** Waits until every registered partition has refused, by its report, all prepares of older generations. */
export class Recovery {
  readonly #reports = new Map<Peer, Report>();
  /** Known to be committed by the generation before, which started over. */
  readonly #known: Epoch;

  constructor(known: Epoch = 0) {
    this.#known = known;
  }

  report(partition: Peer, report: Report): void {
    this.#reports.set(partition, report);
  }

  /** Its report was that of an incarnation that is gone. */
  forget(partition: Peer): void {
    this.#reports.delete(partition);
  }

  has(partition: Peer): boolean {
    return this.#reports.has(partition);
  }

  get damaged(): Peer[] {
    return [...this.#reports].filter(([, { damaged }]) => damaged).map(([partition]) => partition);
  }

  missing(registered: ReadonlySet<Peer>): Peer[] {
    return [...registered].filter((partition) => !this.#reports.has(partition));
  }

  isComplete(registered: ReadonlySet<Peer>): boolean {
    for (const partition of registered) if (!this.#reports.has(partition)) return false;
    return true;
  }

  /**
   * The last committed epoch: what any partition knows to be committed, then each later epoch that all its participants hold, up to the first
   * that they do not. What is incomplete now stays so, since no partition makes a record of an older generation any more.
   *
   * A damaged partition is believed what it says that it holds, not that it holds no more: its record of an epoch that all others hold may be
   * the one that cannot be read, and then the epoch may be committed, and its transactions answered. Such an epoch is neither committed nor
   * aborted: the whole domain waits until that partition is mended. To lose acknowledged transactions would be worse.
   */
  conclude(aborted: EpochRanges): Conclusion {
    let committed = this.#known;
    for (const { decided } of this.#reports.values()) committed = Math.max(committed, decided);
    invariant(!inRanges(aborted, committed), "1: a partition takes an aborted epoch for committed");
    for (const [epoch, { parts, holders }] of [...this.#held()].sort(([a], [b]) => a - b)) {
      if (epoch <= committed || inRanges(aborted, epoch)) continue;
      const lacking = [...parts.keys()].filter((partition) => !holders.has(partition));
      if (lacking.length > 0 && !this.#hasGoneOn(lacking, epoch, aborted)) {
        const undecidable = lacking.every((partition) => this.#reports.get(partition)?.damaged === true);
        return { committed, undecidable: undecidable ? { epoch, partitions: lacking } : null };
      }
      committed = epoch;
    }
    return { committed, undecidable: null };
  }

  /** A damaged partition that has recorded a later epoch has known this one to be committed: an epoch is recorded only when all before it are decided. */
  #hasGoneOn(lacking: readonly Peer[], epoch: Epoch, aborted: EpochRanges): boolean {
    const isLater = (record: RecordReport): boolean => record.epoch > epoch && !inRanges(aborted, record.epoch);
    const damaged = lacking
      .map((partition) => this.#reports.get(partition))
      .filter((report) => report?.damaged === true);
    return damaged.length === lacking.length && damaged.some((report) => report?.records.some(isLater) === true);
  }

  /**
   * The ranges that some reported record is in: in no other can a record be left, or come to be. Records that a damaged partition cannot read
   * are older than the damage, so that for them the oldest ranges are kept, as many as leave room for new ones.
   */
  needed(aborted: EpochRanges): EpochRanges {
    const epochs = [...this.#held().keys()];
    const kept = this.damaged.length > 0 ? LIMITS.maxAbortedRanges / 2 : 0;
    return aborted.filter((range, at) => at < kept || epochs.some((epoch) => inRanges([range], epoch)));
  }

  #held(): Map<Epoch, Held> {
    const held = new Map<Epoch, Held>();
    for (const [partition, { records }] of this.#reports) for (const record of records) hold(held, partition, record);
    return held;
  }
}

function hold(held: Map<Epoch, Held>, partition: Peer, { epoch, parts }: RecordReport): void {
  const known = held.get(epoch) ?? { parts, holders: new Set() };
  const same = known.parts.size === parts.size && [...parts].every(([peer, inc]) => known.parts.get(peer) === inc);
  invariant(same, "1: records of one epoch name different participants");
  invariant(parts.has(partition), "1: a partition holds a record of an epoch that it took no part in");
  known.holders.add(partition);
  held.set(epoch, known);
}
