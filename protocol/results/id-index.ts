/** Numbers of entries by id: open addressing with linear probing, in typed arrays, which garbage collection does not look into. */

/** Knows which id an entry has. */
export interface IdEntries {
  hasId(entry: number, id: string): boolean;
}

const LEAST_SLOTS = 64;

export class IdIndex {
  size = 0;
  readonly #ids: IdEntries;
  #hashes = new Uint32Array(LEAST_SLOTS);
  /** Number of the entry and 1; 0 where there is none. */
  #entries = new Float64Array(LEAST_SLOTS);

  constructor(ids: IdEntries) {
    this.#ids = ids;
  }

  /** The entry of the id; -1 where there is none. */
  find(id: string): number {
    const hash = hashOf(id);
    const mask = this.#hashes.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = (this.#entries[slot] as number) - 1;
      if (entry < 0 || (this.#hashes[slot] === hash && this.#ids.hasId(entry, id))) return entry;
    }
  }

  /** The id must have none yet. */
  add(id: string, entry: number): void {
    if ((this.size + 1) * 2 > this.#hashes.length) this.#resize(this.#hashes.length * 2);
    this.#put(hashOf(id), entry + 1);
    this.size += 1;
  }

  /** The id must have this entry. */
  delete(id: string, entry: number): void {
    const mask = this.#hashes.length - 1;
    let hole = hashOf(id) & mask;
    while (this.#entries[hole] !== entry + 1) hole = (hole + 1) & mask;
    // Those behind it move up, but for those that would come to lie before where their hash belongs.
    for (let slot = (hole + 1) & mask; this.#entries[slot] !== 0; slot = (slot + 1) & mask) {
      const home = (this.#hashes[slot] as number) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#hashes[hole] = this.#hashes[slot] as number;
      this.#entries[hole] = this.#entries[slot] as number;
      hole = slot;
    }
    this.#entries[hole] = 0;
    this.size -= 1;
    const slots = this.#hashes.length;
    if (slots > LEAST_SLOTS && this.size * 16 < slots) this.#resize(slots / 2);
  }

  #put(hash: number, stored: number): void {
    const mask = this.#hashes.length - 1;
    let slot = hash & mask;
    while (this.#entries[slot] !== 0) slot = (slot + 1) & mask;
    this.#hashes[slot] = hash;
    this.#entries[slot] = stored;
  }

  #resize(slots: number): void {
    const [hashes, entries] = [this.#hashes, this.#entries];
    this.#hashes = new Uint32Array(slots);
    this.#entries = new Float64Array(slots);
    for (let slot = 0; slot < entries.length; slot++) {
      const stored = entries[slot] as number;
      if (stored !== 0) this.#put(hashes[slot] as number, stored);
    }
  }
}

/** FNV-1a of 32 bits, mixed at the end. Ids are the engine's own, or made by SHA-256: nobody chooses many of one hash. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
