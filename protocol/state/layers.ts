/**
 * State as transactions see it: the changes of undecided epochs, newest first, over what is committed. Locks order the changes of one
 * key, and each later one has the same or a higher epoch (docs/protocol.md, "Finish"), so layers by epoch are enough.
 */
import { invariant } from "../assert.ts";
import type { Epoch } from "../wire/messages.ts";
import type { History } from "./history.ts";
import { LIFETIMES } from "./expiry.ts";
import { Overlay } from "./overlay.ts";
import { inOrder } from "./state-key.ts";
import type { Change, StateStore, Write } from "./store.ts";

/** Where a transaction's copies read from. */
export interface StateView {
  get(key: string, entity: string): Change;
  /** Whether the row of a service's lifetimes is there (expiry.ts). */
  hasLifetime(row: string): boolean;
  /** Entries of a collection between two full keys, ascending unless reversed. */
  range(
    prefix: string,
    entity: string,
    from: string,
    to: string,
    limit: number,
    reverse: boolean,
  ): Array<[string, string]>;
}

interface Layer {
  readonly epoch: Epoch;
  readonly overlay: Overlay;
  /** All of its writes in order: what is applied when it is decided. */
  readonly writes: Write[];
  /** Characters of the writes. */
  units: number;
}

export class Layers implements StateView {
  readonly committed: StateStore;
  /** Who reads committed state as it was, and must hear of every change before it is made. */
  pin: { keep(writes: readonly Write[]): void } | null = null;
  readonly #history: History;
  /** Ascending by epoch. */
  #layers: Layer[] = [];

  constructor(committed: StateStore, history: History) {
    this.committed = committed;
    this.#history = history;
  }

  get(key: string, entity: string): Change {
    for (let at = this.#layers.length - 1; at >= 0; at--) {
      const change = (this.#layers[at] as Layer).overlay.get(key, entity);
      if (change !== undefined) return change;
    }
    return this.committed.get(key, entity);
  }

  hasLifetime(row: string): boolean {
    return this.isUndecided(LIFETIMES) ? this.get(row, LIFETIMES) !== null : this.committed.hasLifetime(row);
  }

  range(
    prefix: string,
    entity: string,
    from: string,
    to: string,
    limit: number,
    reverse: boolean,
  ): Array<[string, string]> {
    const overlays = this.#layers.map(({ overlay }) => overlay).filter((overlay) => overlay.entities.has(entity));
    if (overlays.length === 0) return this.committed.range(prefix, entity, from, to, limit, reverse);
    const hidden = overlays.reduce((sum, overlay) => sum + overlay.entriesOf(prefix), 0);
    const cleared = overlays.findLastIndex((overlay) => overlay.isCleared(entity));
    const found = new Map(cleared < 0 ? this.committed.range(prefix, entity, from, to, limit + hidden, reverse) : []);
    for (const overlay of overlays.slice(Math.max(0, cleared))) {
      for (const [key, change] of overlay.entriesIn(prefix, from, to)) {
        if (change === null) found.delete(key);
        else found.set(key, change);
      }
    }
    return inOrder(found, limit, reverse);
  }

  /** Whether a key has a change of an epoch that is not decided. */
  isUndecided(entity: string): boolean {
    for (const { overlay } of this.#layers) if (overlay.entities.has(entity)) return true;
    return false;
  }

  get isDecided(): boolean {
    return this.#layers.length === 0;
  }

  /** Characters that undecided epochs hold. */
  get units(): number {
    return this.#layers.reduce((sum, { units }) => sum + units, 0);
  }

  /** Adds writes of a finished transaction to those of its epoch. */
  add(epoch: Epoch, writes: readonly Write[]): void {
    if (writes.length === 0) return;
    const layer = this.#layerOf(epoch);
    layer.overlay.add(writes);
    for (const write of writes) {
      layer.writes.push(write);
      layer.units += write.key.length + write.text.length;
    }
  }

  #layerOf(epoch: Epoch): Layer {
    const known = this.#layers.find((layer) => layer.epoch === epoch);
    if (known) return known;
    const layer: Layer = { epoch, overlay: new Overlay(), writes: [], units: 0 };
    this.#layers.push(layer);
    this.#layers.sort((a, b) => a.epoch - b.epoch);
    return layer;
  }

  /** Writes of an undecided epoch, in order. */
  writesOf(epoch: Epoch): readonly Write[] {
    return this.#layers.find((layer) => layer.epoch === epoch)?.writes ?? [];
  }

  /** The epoch is committed, as record `seq`: its changes become committed state. Returns them. */
  decide(epoch: Epoch, seq: number): readonly Write[] {
    const at = this.#layers.findIndex((layer) => layer.epoch === epoch);
    if (at < 0) return [];
    invariant(at === 0, "2: an epoch is decided before an earlier one");
    const [{ writes }] = this.#layers.splice(at, 1) as [Layer];
    this.commit(writes, seq, epoch);
    return writes;
  }

  /** What was there before this epoch ended may not be read as of an earlier one any more. */
  forgetHistory(epoch: Epoch): void {
    this.#history.raiseFloor(epoch);
  }

  /** Makes changes of record `seq` committed as of an epoch. */
  commit(writes: readonly Write[], seq: number, epoch: Epoch): void {
    this.pin?.keep(writes);
    this.#history.keep(writes, epoch, this.committed);
    this.committed.apply(writes, seq);
  }

  /** Forgets what an epoch changed: it was aborted, or everything unprepared is dropped. */
  drop(epoch: Epoch): void {
    this.#layers = this.#layers.filter((layer) => layer.epoch !== epoch);
  }
}
