/** What a partition's machine says of itself. */
import type { Participation } from "../epochs/participation.ts";
import type { Links } from "../link/links.ts";
import type { Moves } from "../moves/moves.ts";
import type { Ownership } from "../moves/ownership.ts";
import type { Layers } from "../state/layers.ts";
import type { Transactions } from "../transaction/transactions.ts";
import type { HeldRequests } from "./held.ts";
import type { Log } from "./log.ts";
import type { Mail } from "./mail.ts";
import type { PartitionStatus } from "./setup.ts";
import type { Tickets } from "./tickets.ts";

export interface StatusParts {
  readonly participation: Participation;
  readonly layers: Layers;
  readonly transactions: Transactions;
  readonly tickets: Tickets;
  readonly links: Links;
  readonly held: HeldRequests;
  readonly mail: Mail;
  readonly moves: Moves;
  readonly ownership: Ownership;
  readonly log: Log;
}

export function statusOf(parts: StatusParts): PartitionStatus {
  const { participation, layers, transactions, tickets, links, held, mail, moves, ownership, log } = parts;
  const { committed } = layers;
  return {
    phase: participation.phase,
    waiting: tickets.waiting,
    ...transactions.load,
    undecided: participation.undecided,
    unacknowledged: links.unacknowledged,
    held: links.held + held.size,
    outbox: mail.size,
    moving: Number(moves.isActive),
    map: ownership.version,
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
