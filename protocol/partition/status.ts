/** The parts of a partition's machine, and the figures that it shows of them. */
import type { Links } from "../link/links.ts";
import type { Moves } from "../moves/moves.ts";
import type { Ownership } from "../moves/ownership.ts";
import type { Results } from "../results/results.ts";
import type { Blocks } from "../state/blocks/blocks.ts";
import type { History } from "../state/history.ts";
import type { Layers } from "../state/layers.ts";
import type { Transactions } from "../transaction/transactions.ts";
import type { Admission } from "./admission.ts";
import type { EpochWork } from "./epoch-work.ts";
import { endFigures, flowFigures } from "./flow-figures.ts";
import type { Flows } from "./flows.ts";
import type { HeldRequests } from "./held.ts";
import type { Log } from "./log.ts";
import type { Mail } from "./mail.ts";
import type { PartitionCounters, PartitionStatus } from "./setup.ts";
import type { Tickets } from "./tickets.ts";

/** What a machine is made of. */
export interface MachineParts {
  readonly layers: Layers;
  readonly history: History;
  readonly ownership: Ownership;
  readonly blocks: Blocks;
  readonly results: Results;
  readonly flows: Flows;
  readonly log: Log;
  readonly mail: Mail;
  readonly admission: Admission;
  readonly tickets: Tickets;
  readonly transactions: Transactions;
  readonly epochs: EpochWork;
  readonly links: Links;
  readonly held: HeldRequests;
}

/** All that costs nothing to find out. */
export function countersOf({ layers, epochs, log, ...parts }: MachineParts, moves: Moves): PartitionCounters {
  const { participation } = epochs;
  const { committed } = layers;
  return {
    phase: participation.phase,
    waiting: parts.tickets.waiting,
    ...parts.transactions.load,
    undecided: participation.undecided,
    unacknowledged: parts.links.unacknowledged,
    held: parts.links.held + parts.held.size,
    outbox: parts.mail.size,
    ...parts.mail.kinds,
    timers: parts.mail.timers,
    moving: Number(moves.isActive),
    map: parts.ownership.version,
    member: participation.isMember,
    clock: participation.clock,
    decided: participation.decided,
    era: participation.era,
    unfoldedBytes: log.unfoldedBytes,
    unfoldedKeys: committed.unfoldedKeys,
    cachedBytes: committed.cachedBytes,
    seq: log.seq - 1,
  };
}

export function statusOf(parts: MachineParts, moves: Moves): PartitionStatus {
  return { ...countersOf(parts, moves), flows: flowFigures(parts), ends: endFigures(parts) };
}

/** Something of its transactions, epochs or messages must go on even if nothing comes from outside. */
export function isPending({ epochs, transactions, links, mail }: MachineParts): boolean {
  const hasWork = epochs.participation.awaitsCoordinator || transactions.load.attempts > 0;
  return hasWork || links.outstanding || mail.isPending;
}
