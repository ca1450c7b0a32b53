/** What a coordinator says of itself, for people and for tests. */
import type { Links } from "../link/links.ts";
import type { Epoch, Peer } from "../wire/messages.ts";
import type { ClosingEpoch } from "./epoch-state.ts";
import type { Epochs } from "./epochs.ts";
import type { EpochRanges } from "./ranges.ts";
import type { Undecidable } from "./recovery.ts";
import type { Registry } from "./registry.ts";

/** What a recovery waits for. */
export interface RecoveryStatus {
  /** Partitions that have not reported. */
  readonly missing: readonly Peer[];
  /** Those that reported that their storage is damaged. */
  readonly damaged: readonly Peer[];
  /** With all reports in: the epoch that may be committed, and who has to be mended before that can be told. */
  readonly undecidable: Undecidable | null;
}

export interface CoordinatorStatus {
  readonly generation: number;
  readonly phase: "recovering" | "running";
  /** Null when it runs. */
  readonly recovery: RecoveryStatus | null;
  readonly registered: readonly Peer[];
  /** Epochs are 0 while it recovers. */
  readonly base: Epoch;
  readonly open: Epoch;
  /** Of the open epoch. */
  readonly members: readonly Peer[];
  /** `sole`: for one partition alone, and nobody else waits for it. */
  readonly closing: { readonly epoch: Epoch; readonly phase: "sole" | "closing" | "preparing" } | null;
  readonly committed: Epoch;
  /** Since this generation began. */
  readonly aborts: number;
  readonly abortedRanges: EpochRanges;
  readonly unacknowledged: number;
}

export function statusOf(
  { generation, abortedRanges }: Pick<CoordinatorStatus, "generation" | "abortedRanges">,
  epochs: Epochs | null,
  registry: Registry,
  links: Links,
  recovery: RecoveryStatus | null,
): CoordinatorStatus {
  const closing = epochs?.closing ?? null;
  return {
    generation,
    phase: epochs === null ? "recovering" : "running",
    recovery,
    registered: [...registry.all],
    base: epochs?.base ?? 0,
    open: epochs?.open.epoch ?? 0,
    members: epochs === null ? [] : [...epochs.open.members.keys()],
    closing: closing && { epoch: closing.epoch, phase: phaseOf(closing) },
    committed: epochs?.committed ?? 0,
    aborts: epochs?.aborts ?? 0,
    abortedRanges,
    unacknowledged: links.unacknowledged,
  };
}

function phaseOf({ parts, since }: Readonly<ClosingEpoch>): "sole" | "closing" | "preparing" {
  if (parts !== null) return "preparing";
  return since === Infinity ? "sole" : "closing";
}
