/** What moving of key groups needs of a partition, and what it changes in it. */
import { LIMITS } from "../limits.ts";
import type { Links } from "../link/links.ts";
import { Moves } from "../moves/moves.ts";
import type { Ownership } from "../moves/ownership.ts";
import type { Results } from "../results/results.ts";
import type { Blocks } from "../state/blocks/blocks.ts";
import { reportDamage } from "../state/blocks/damage.ts";
import type { History } from "../state/history.ts";
import type { Layers } from "../state/layers.ts";
import type { Epoch, PartitionMessage, Peer, ReportMessage } from "../wire/messages.ts";
import type { Admission } from "./admission.ts";
import type { Effect } from "./effects.ts";
import type { Flows } from "./flows.ts";
import type { Log } from "./log.ts";
import type { Mail } from "./mail.ts";
import type { PartitionSetup } from "./setup.ts";

export interface MovingParts {
  readonly history: History;
  readonly layers: Layers;
  readonly blocks: Blocks;
  readonly results: Results;
  readonly flows: Flows;
  readonly ownership: Ownership;
  readonly log: Log;
  readonly admission: Admission;
  readonly mail: Mail;
  readonly links: Links;
}

export interface MovingMachine {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly clock: Epoch;
  readonly isPlaced: boolean;
  readonly holdsMoves: boolean;
  emit(effect: Effect): void;
  send(to: Peer, message: PartitionMessage): void;
  report(message: ReportMessage): void;
  show(): void;
}

export function movesOf(setup: PartitionSetup, machine: MovingMachine, parts: MovingParts): Moves {
  const { layers, blocks, results, flows, ownership, log, links } = parts;
  const owner = {
    reader: setup.reader,
    stored: blocks,
    committed: layers.committed,
    results,
    flows,
    ownership,
    log,
    get now() {
      return machine.now;
    },
    get isBehind() {
      return log.unfoldedBytes > LIMITS.maxUnfoldedBytes / 2;
    },
    get isFull() {
      return log.isFull;
    },
    get isPlaced() {
      return machine.isPlaced;
    },
    get holdsMoves() {
      return machine.holdsMoves;
    },
    send: (to: Peer, message: PartitionMessage) => machine.send(to, message),
    report: (message: ReportMessage) => machine.report(message),
    incarnation: setup.incarnation,
    incarnationOf: (peer: Peer) => links.incarnationOf(peer),
    persist: (ops: Extract<Effect, { kind: "persist" }>["ops"]) => machine.emit({ kind: "persist", ops }),
    damaged: (error: unknown) => machine.emit(reportDamage(error)),
    show: () => machine.show(),
    wantWork: () => machine.emit({ kind: "want-work" }),
    remapped: () => remapped(machine, parts),
  };
  return new Moves(owner, setup.recovered);
}

/** Other key groups are here than before. */
function remapped(machine: MovingMachine, { history, admission, mail, ownership }: MovingParts): void {
  // Of what came nothing is known as of earlier epochs.
  history.raiseFloor(machine.clock);
  admission.evict();
  mail.remap((message) => ownership.keeps(ownership.groupOfMessage(message)));
}
