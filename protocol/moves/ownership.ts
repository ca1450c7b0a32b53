/** Which key groups this partition keeps, and which go where: the map of the present era, and the one that is moved to. */
import type { Kernels } from "../../core-wasm/types.ts";
import { groupOfHash, type KeyGroupMap, mapOfText, movesBetween } from "../keygroups/map.ts";
import type { Message } from "../outbox/message.ts";
import { keyOfEntity } from "../state/state-key.ts";
import type { Peer } from "../wire/messages.ts";

const NO_GROUPS: ReadonlySet<number> = new Set();

export class Ownership {
  readonly #kernels: Kernels;
  readonly #self: Peer;
  #map: KeyGroupMap;
  #next: KeyGroupMap | null = null;
  #moves: ReadonlyMap<Peer, ReadonlyMap<Peer, ReadonlySet<number>>> = new Map();
  #texts = "";

  constructor(kernels: Kernels, self: Peer, map: KeyGroupMap) {
    this.#kernels = kernels;
    this.#self = self;
    this.#map = map;
  }

  get version(): number {
    return this.#map.version;
  }
  /** Version of the map that is moved to; 0 when none is. */
  get nextVersion(): number {
    return this.#next?.version ?? 0;
  }

  /** Takes over what an era says; an empty map is the one that was. */
  told(map: string, next: string): void {
    const texts = `${map}|${next}`;
    if (texts === this.#texts) return;
    this.#texts = texts;
    if (map !== "") this.#map = mapOfText(map);
    this.#next = next === "" ? null : mapOfText(next);
    this.#moves = this.#next === null ? new Map() : movesBetween(this.#map, this.#next);
  }

  groupOf(key: string): number {
    return groupOfHash(this.#kernels.hashKey(key));
  }

  keeps(group: number): boolean {
    return this.#map.groups[group] === this.#self;
  }

  isHere(key: string): boolean {
    return this.keeps(this.groupOf(key));
  }

  partitionOf(key: string): Peer {
    return this.#map.groups[this.groupOf(key)] as Peer;
  }

  /** Partitions that groups of this one go to, with these groups. */
  get targets(): ReadonlyMap<Peer, ReadonlySet<number>> {
    return this.#moves.get(this.#self) ?? new Map<Peer, ReadonlySet<number>>();
  }

  /** Partitions that groups come to this one from. */
  get sources(): Peer[] {
    return [...this.#moves].filter(([, targets]) => targets.has(this.#self)).map(([source]) => source);
  }

  /** Groups that come here from that partition. */
  from(source: Peer): ReadonlySet<number> {
    return this.#moves.get(source)?.get(this.#self) ?? NO_GROUPS;
  }

  /** Where a message is kept: with its sender, or, if it comes from outside, with its target. */
  groupOfMessage({ sender, key }: Pick<Message, "sender" | "key">): number {
    return this.groupOf(sender === "" ? key : keyOfEntity(sender));
  }
}
