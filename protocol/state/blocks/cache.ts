/** Bytes of blocks that were read last, bounded; and those written in this turn, which storage may not have yet. */
export class BlockCache {
  readonly #limit: number;
  /** Least recently used first. */
  readonly #kept = new Map<number, Uint8Array>();
  readonly #fresh = new Map<number, Uint8Array>();
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(id: number): Uint8Array | undefined {
    const fresh = this.#fresh.get(id);
    if (fresh) return fresh;
    const kept = this.#kept.get(id);
    if (!kept) return undefined;
    this.#kept.delete(id);
    this.#kept.set(id, kept);
    return kept;
  }

  keep(id: number, bytes: Uint8Array): void {
    this.drop(id);
    this.#kept.set(id, bytes);
    this.#bytes += bytes.length;
    for (const [oldest] of this.#kept) {
      if (this.#bytes <= this.#limit) return;
      this.drop(oldest);
    }
  }

  drop(id: number): void {
    this.#bytes -= this.#kept.get(id)?.length ?? 0;
    this.#kept.delete(id);
    this.#fresh.delete(id);
  }

  /** Written in this turn. */
  wrote(id: number, bytes: Uint8Array): void {
    this.drop(id);
    this.#fresh.set(id, bytes);
  }

  /** What earlier turns wrote is in storage. */
  turn(): void {
    this.#fresh.clear();
  }
}
