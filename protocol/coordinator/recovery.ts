/** What a new generation works out from the records that partitions hold: commits are written nowhere else. */
import { invariant } from "../assert.ts";
import { inRanges } from "../epochs/epoch.ts";
import type { Epoch, Participants, Peer, RecordReport, ReportMessage } from "../wire/messages.ts";
import type { EpochRanges } from "./ranges.ts";

export type Report = Extract<ReportMessage, { kind: "report" }>;

interface Held {
  readonly parts: Participants;
  readonly holders: Set<Peer>;
}

/** Waits until every registered partition has refused, by its report, all prepares of older generations. */
export class Recovery {
  readonly #reports = new Map<Peer, Report>();

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

  isComplete(registered: ReadonlySet<Peer>): boolean {
    for (const partition of registered) if (!this.#reports.has(partition)) return false;
    return true;
  }

  /**
   * The last committed epoch: what any partition knows to be committed, then each later epoch that all its participants hold, up to the first
   * that they do not. What is incomplete now stays so, since no partition makes a record of an older generation any more.
   */
  committed(aborted: EpochRanges): Epoch {
    let committed = 0;
    for (const { decided } of this.#reports.values()) committed = Math.max(committed, decided);
    invariant(!inRanges(aborted, committed), "1: a partition takes an aborted epoch for committed");
    for (const [epoch, { parts, holders }] of [...this.#held()].sort(([a], [b]) => a - b)) {
      if (epoch <= committed || inRanges(aborted, epoch)) continue;
      if (![...parts.keys()].every((partition) => holders.has(partition))) break;
      committed = epoch;
    }
    return committed;
  }

  /** The ranges that some reported record is in. In no other can a record be left, or come to be. */
  needed(aborted: EpochRanges): EpochRanges {
    const epochs = [...this.#held().keys()];
    return aborted.filter((range) => epochs.some((epoch) => inRanges([range], epoch)));
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
