/** What a backup has of streams and flows, restored: the same batches in the same order, up to one moment of the run that it was taken from. */
import type { Taken } from "../admin/backup.ts";
import type { RestoredRun } from "../admin/restored.ts";
import { eventsSentAgain } from "../clients/letters.ts";
import type { Ledger } from "../clients/ledger.ts";
import type { Final } from "../final.ts";
import { type EndsHistory, endsHistoryOf, lettersSeen } from "./ends/history.ts";
import type { Delivered } from "./ends/world.ts";
import { type FlowHistory, flowHistoryOf, type SentBatch } from "./history.ts";

/** @param recorded ids of requests in the order in which their results became durable, of the run that the backup is of */
export function restoredHistoryOf(
  ledger: Ledger,
  { invoked, completed }: Taken,
  { final, ledger: after }: Pick<RestoredRun, "ledger"> & { readonly final: Final },
  recorded: readonly string[],
): FlowHistory {
  const history = flowHistoryOf(ledger, final.flows, recorded, () => true);
  // What was answered before the backup began is in it, and what was sent behind its end is not; of all else nobody knows.
  const known = (batch: SentBatch): SentBatch => ({
    ...batch,
    taken: batch.taken !== null && batch.taken < invoked ? batch.taken : null,
    undone: batch.undone || batch.invoked > completed,
  });
  const shown = JSON.parse(final.flows.get("kernel-view") ?? "null") as { readonly batches: number };
  return {
    ...history,
    sent: history.sent.map(known),
    sentAgain: new Set([...history.sentAgain, ...eventsSentAgain(after)]),
    kernelOrder: history.kernelOrder.slice(0, shown.batches),
  };
}

/**
 * What ends delivered before the backup, they have delivered; what was under way then comes once more, under the same key.
 * @param before what they had delivered in the run that the backup is of
 */
export function restoredEndsOf(
  ledger: Ledger,
  { at }: Taken,
  sent: readonly SentBatch[],
  { final, ledger: after, outside }: Pick<RestoredRun, "ledger" | "outside"> & { readonly final: Final },
  before: readonly Delivered[],
): EndsHistory {
  const done = [...before.filter(({ ms }) => ms <= at), ...outside.ends.done];
  const history = endsHistoryOf(after, sent, final.flows, done);
  const known = new Map([...lettersSeen(ledger), ...history.letters].map((each) => [each.letter, each]));
  return { ...history, letters: [...known.values()], lettersAreAll: false };
}
