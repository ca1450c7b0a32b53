/** What a partition's machine is made from, and the figures that it shows. */
import type { Kernels } from "../../core-wasm/types.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import type { KeyGroupMap } from "../keygroups/map.ts";
import type { Observer } from "../observe/observer.ts";
import type { StateReader } from "../state/reader.ts";
import type { Epoch } from "../wire/messages.ts";
import type { PeerFormat } from "../wire/codec.ts";
import type { EndFigures, FlowFigures } from "./flow-figures.ts";
import type { Recovered } from "./recovery.ts";

/** What a partition is made of and from. */
export interface PartitionSetup {
  readonly app: AppDefinition;
  readonly kernels: Kernels;
  readonly reader: StateReader;
  /** This partition's number in the map. */
  readonly partition: number;
  /** The map until an era tells another. */
  readonly map: KeyGroupMap;
  /** Durable, one more at every start. */
  readonly incarnation: number;
  /**
   * Drawn by chance at every start: no other instance has the same, of whatever partition, tenant, app or restored domain. Without it effects are known
   * outside by their ids, as in simulated worlds: each is the only one there, and what its seeds come to depends on the length of what is kept.
   */
  readonly nonce?: string;
  readonly recovered: Recovered;
  /** The highest version of batches that it reads, where that is not the newest: for tests of versions side by side. */
  readonly reads?: PeerFormat;
  /** Told of transactions; without it one that nobody asks. */
  readonly observer?: Observer;
}

/** Figures of one partition. `waiting` to `outbox` are 0 when nothing runs (invariant 6). */
export interface PartitionCounters {
  readonly phase: "starting" | "fenced" | "moving" | "up";
  /** Rows of requests without an answer. */
  readonly waiting: number;
  readonly attempts: number;
  /** Keys that are held or waited for. */
  readonly locks: number;
  /** Records and unprepared epochs that are not decided. */
  readonly undecided: number;
  /** Messages that peers may not have. */
  readonly unacknowledged: number;
  /** Messages and requests that wait for this partition to be up. */
  readonly held: number;
  /** One-way messages that are not delivered. */
  readonly outbox: number;
  /** Of these, effects that are not over. */
  readonly effects: number;
  /** Of these, messages that are tried one at a time since they may end whoever runs them. */
  readonly suspected: number;
  /** Delayed messages that are known of in memory: 0 when there are none. They wait for their time, whatever runs. */
  readonly timers: number;
  /** Key groups go or come, or what went is being deleted: 1, else 0. */
  readonly moving: number;
  /** Version of its key-group map. */
  readonly map: number;
  /** The partition belongs to an epoch that is not closed. */
  readonly member: boolean;
  readonly clock: Epoch;
  readonly decided: Epoch;
  readonly era: Epoch;
  readonly unfoldedBytes: number;
  readonly unfoldedKeys: number;
  readonly cachedBytes: number;
  /** Number of the newest record. */
  readonly seq: number;
}
export interface PartitionStatus extends PartitionCounters {
  /** Of flows that are kept here, and of their ends in the outside world. */
  readonly flows: readonly FlowFigures[];
  readonly ends: readonly EndFigures[];
}
