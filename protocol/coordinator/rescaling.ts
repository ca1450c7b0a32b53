/**
 * The coordinator's part in moving key groups: the map, the one that is moved to, and how far that is. Groups move in three steps: all that they
 * hold is copied while transactions go on; an era begins in which nothing runs, and what is left is moved; the map is changed, and the next era
 * begins with it. What is durable says at each point which of the two maps counts.
 */
import { invariant } from "../assert.ts";
import {
  decodeMap,
  encodeMap,
  initialMap,
  type KeyGroupMap,
  mapToText,
  movesBetween,
  rescaledMap,
} from "../keygroups/map.ts";
import { LIMITS } from "../limits.ts";
import type { Epoch, Peer, ReportMessage } from "../wire/messages.ts";

type Moved = Extract<ReportMessage, { kind: "moved" }>;

/** Durable texts of the coordinator that are about the map. */
export interface StoredMap {
  readonly map?: string | undefined;
  /** The map that is moved to; empty when none is. */
  readonly next?: string | undefined;
  /** How many partitions there are to be: what was asked for last. */
  readonly wanted?: string | undefined;
  /** How many the configuration named last. */
  readonly configured?: string | undefined;
}

export interface NamedText {
  readonly name: string;
  readonly value: string;
}

/** How far moving of key groups is. */
export interface RescaleStatus {
  /** Of the key-group map: one more at every change. */
  readonly version: number;
  readonly partitions: number;
  /** How many there are to be. */
  readonly wanted: number;
  /** How many there have ever been: those that keep nothing any more are asked in recoveries, and may have traces of what they kept. */
  readonly known: number;
  readonly phase: "still" | "copying" | "frozen";
  /** From one partition to another, in the present move; how many are copied while requests go on, and how many done. */
  readonly transfers: number;
  readonly copied: number;
  readonly done: number;
  /** Milliseconds for which requests waited in the last move; null before. */
  readonly lastPauseMs: number | null;
}

/** A transfer, by the partitions that it goes from and to. */
type Pair = `${number}>${number}`;

export class Rescaling {
  #map: KeyGroupMap;
  #next: KeyGroupMap | null;
  #wanted: number;
  #text = "";
  #nextText = "";
  #pairs = new Set<Pair>();
  readonly #copied = new Set<Pair>();
  readonly #done = new Set<Pair>();
  /** When the era began in which nothing runs; null when it is none. */
  #frozenAt: number | null = null;
  #lastPauseMs: number | null = null;
  /** What is to be stored before anything leaves. */
  readonly initial: readonly NamedText[];

  constructor(stored: StoredMap, configured: number) {
    this.#map = stored.map === undefined ? initialMap(configured) : decodeMap(stored.map);
    this.#next = stored.next === undefined || stored.next === "" ? null : decodeMap(stored.next);
    this.#wanted = Number(stored.wanted ?? this.#map.partitions);
    const initial: NamedText[] = [];
    if (stored.map === undefined) initial.push({ name: "map", value: encodeMap(this.#map) });
    // A number that stands in the configuration as before has been heard: what was asked for since counts.
    if (stored.configured !== String(configured)) {
      initial.push({ name: "configured", value: String(configured) });
      if (this.#wanted !== configured) initial.push({ name: "wanted", value: String(configured) });
      this.#wanted = configured;
    }
    this.initial = initial;
    this.#texts();
  }

  get map(): KeyGroupMap {
    return this.#map;
  }
  /** As eras tell it. */
  get texts(): { readonly map: string; readonly next: string; readonly frozen: boolean } {
    return { map: this.#text, next: this.#nextText, frozen: this.isFrozen };
  }
  get isFrozen(): boolean {
    return this.#frozenAt !== null;
  }
  get isMoving(): boolean {
    return this.#next !== null;
  }

  get status(): Omit<RescaleStatus, "known"> {
    return {
      version: this.#map.version,
      partitions: this.#map.partitions,
      wanted: this.#wanted,
      phase: this.#next === null ? "still" : this.isFrozen ? "frozen" : "copying",
      transfers: this.#pairs.size,
      copied: this.#copied.size,
      done: this.#done.size,
      lastPauseMs: this.#lastPauseMs,
    };
  }

  #texts(): void {
    this.#text = mapToText(this.#map);
    this.#nextText = this.#next === null ? "" : mapToText(this.#next);
    this.#copied.clear();
    this.#done.clear();
    this.#pairs = new Set();
    if (this.#next === null) return;
    for (const [from, targets] of movesBetween(this.#map, this.#next)) {
      for (const to of targets.keys()) this.#pairs.add(`${from}>${to}`);
    }
  }

  /** There are to be so many partitions. @returns what is to be stored */
  want(partitions: number): NamedText[] {
    this.#wanted = partitions;
    return [{ name: "wanted", value: String(partitions) }];
  }

  /**
   * Begins the move to what is wanted, if that is another than the one that is under way. Not while nothing runs: that move is nearly done.
   * @returns what is to be stored before anybody is told; null when there is nothing to be done
   */
  begin(): NamedText[] | null {
    if (this.isFrozen || (this.#next ?? this.#map).partitions === this.#wanted) return null;
    // Back to what there is: that is a move of nothing, and over at once.
    return this.#beginTo(this.#wanted);
  }

  /** A version is never used twice: what belongs to a move that was given up must not be taken for another's. */
  #beginTo(partitions: number): NamedText[] {
    const version = Math.max(this.#map.version, this.#next?.version ?? 0) + 1;
    this.#next = rescaledMap(this.#map, partitions, version);
    this.#texts();
    return [{ name: "next", value: encodeMap(this.#next) }];
  }

  /** Partitions of the map that is moved to. */
  get partitions(): Peer[] {
    return Array.from({ length: this.#next?.partitions ?? 0 }, (_, partition) => partition);
  }

  /** Whose word a move waits for. */
  get awaited(): Peer[] {
    const known = this.isFrozen ? this.#done : this.#copied;
    const awaited = new Set<Peer>();
    for (const pair of this.#pairs) {
      if (!known.has(pair)) for (const peer of pair.split(">")) awaited.add(Number(peer));
    }
    return [...awaited];
  }

  /** A partition has what another keeps. `sourceIncarnation` is the newest that is known of that one. */
  moved(
    target: Peer,
    { version, source, sourceIncarnation: reported, frozen }: Moved,
    newest: number,
    base: Epoch,
  ): void {
    const pair: Pair = `${source}>${target}`;
    if (version !== this.#next?.version || !this.#pairs.has(pair)) return;
    if (frozen === 0) {
      if (reported >= newest) this.#copied.add(pair);
    } else if (this.isFrozen && frozen === base) this.#done.add(pair);
  }

  /** With the memory of either what was copied may be lost, and is copied again. */
  lost(partition: Peer): void {
    for (const pair of this.#copied) if (pair.split(">").includes(String(partition))) this.#copied.delete(pair);
  }

  /** Nearly everything is there: the rest takes a moment in which nothing runs. */
  get isCopied(): boolean {
    return this.#next !== null && !this.isFrozen && this.#copied.size === this.#pairs.size;
  }
  /** Everything is there. */
  get isDone(): boolean {
    return this.isFrozen && this.#done.size === this.#pairs.size;
  }

  freeze(now: number): void {
    this.#frozenAt = now;
    this.#done.clear();
  }

  /**
   * Something hangs: everything goes on as before, and is copied again, as a move of its own. Of the one that is given up targets would say that they
   * have all, which sources have begun anew by then, and nothing would run again at once.
   * @returns what is to be stored before anybody is told
   */
  thaw(): NamedText[] {
    invariant(this.#next !== null, "4: nothing moves, and all stands still for it");
    this.#frozenAt = null;
    return this.#beginTo(this.#next.partitions);
  }

  hasFrozenTooLong(now: number): boolean {
    return this.#frozenAt !== null && now - this.#frozenAt > LIMITS.frozenMs;
  }

  /** The next map counts from here on. @returns what is to be stored, in one, before anybody is told */
  flip(now: number): NamedText[] {
    invariant(this.#next !== null && this.isDone, "1: the map is changed before everything has moved");
    this.#lastPauseMs = now - (this.#frozenAt ?? now);
    this.#map = this.#next;
    this.#next = null;
    this.#frozenAt = null;
    this.#texts();
    return [
      { name: "map", value: encodeMap(this.#map) },
      { name: "next", value: "" },
    ];
  }
}
