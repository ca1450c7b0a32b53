/**
 * What keys held before recent commits: enough to read the state as of an epoch that is a little old. For each epoch the value of every
 * key before that epoch's first change of it (an undo image). Bounded in epochs and in bytes; what has left it is too old to be read.
 */
import { LIMITS } from "../limits.ts";
import type { Epoch } from "../wire/messages.ts";
import { entityOf, prefixOf } from "./indexes.ts";
import type { StateView } from "./layers.ts";
import { compareKeys, inOrder } from "./state-key.ts";
import type { Change, StateStore, Write } from "./store.ts";

/** Thrown where a snapshot reads what is no longer kept as of its epoch; the snapshot begins again with a newer one. */
export class TooOldError extends Error {
  override readonly name = "TooOldError";
}

/** The key was not at hand when it was changed: to read it from storage for its history alone would cost every blind write a read. */
const UNKNOWN = Symbol("unknown");
type Before = Change | typeof UNKNOWN;

interface Images {
  readonly epoch: Epoch;
  readonly before: Map<string, Before>;
  /** Entities that were cleared: of their entries nothing is kept. */
  readonly cleared: Set<string>;
  bytes: number;
}

const ENTRY_OVERHEAD = 80;

export class History {
  /** Ascending by epoch. */
  #images: Images[] = [];
  #bytes = 0;
  /** State as of an epoch below this is not to be had. */
  #floor: Epoch = 0;

  /** Keeps what the writes are about to change; they commit as of `epoch`, which is not below any earlier one of the same keys. */
  keep(writes: readonly Write[], epoch: Epoch, committed: StateStore): void {
    if (epoch <= this.#floor) return;
    const images = this.#imagesOf(epoch);
    const cleared: string[] = [];
    for (const write of writes) {
      if (write.op === "clear") cleared.push(write.key);
      else if (!images.before.has(write.key)) {
        const entity = entityOf(write.key);
        // An earlier commit of this epoch has cleared it: what is there now is not what was there before the epoch.
        const before = images.cleared.has(entity) ? undefined : committed.peek(write.key, entity);
        images.before.set(write.key, before === undefined ? UNKNOWN : before);
        this.#grow(images, ENTRY_OVERHEAD + write.key.length + (before?.length ?? 0));
      }
    }
    for (const entity of cleared) images.cleared.add(entity);
    while (this.#bytes > LIMITS.historyBytes) this.#dropOldest();
  }

  #imagesOf(epoch: Epoch): Images {
    const last = this.#images.at(-1);
    if (last?.epoch === epoch) return last;
    const known = this.#images.find((one) => one.epoch === epoch);
    if (known) return known;
    const images: Images = { epoch, before: new Map(), cleared: new Set(), bytes: 0 };
    this.#images.push(images);
    this.#images.sort((a, b) => a.epoch - b.epoch);
    return images;
  }

  #grow(images: Images, bytes: number): void {
    images.bytes += bytes;
    this.#bytes += bytes;
  }

  #dropOldest(): void {
    const oldest = this.#images.shift();
    if (!oldest) return;
    this.#bytes -= oldest.bytes;
    this.#floor = Math.max(this.#floor, oldest.epoch);
  }

  /** Nobody reads as of an epoch below this any more. */
  forgetBelow(epoch: Epoch): void {
    while (this.#images.length > 0 && (this.#images[0] as Images).epoch <= epoch) this.#dropOldest();
  }

  /** After a restart: what is stored was committed at unknown epochs up to this one. */
  raiseFloor(epoch: Epoch): void {
    this.#floor = Math.max(this.#floor, epoch);
    this.forgetBelow(epoch);
  }

  /** Committed state as of an epoch. Reads call `tooOld` and throw {@link TooOldError} when it is not kept. */
  at(epoch: Epoch, committed: StateStore, tooOld: () => void): StateView {
    const fail = (what: string): never => {
      tooOld();
      throw new TooOldError(`${what} is not kept as of that epoch`);
    };
    const later = (): Images[] =>
      epoch < this.#floor ? fail("the state") : this.#images.filter((images) => images.epoch > epoch);
    return new PastState(later, fail, committed);
  }
}

class PastState implements StateView {
  /** Images of later epochs, earliest first: the first that has a key says what it held. */
  readonly #later: () => Images[];
  readonly #fail: (what: string) => never;
  readonly #committed: StateStore;

  constructor(later: () => Images[], fail: (what: string) => never, committed: StateStore) {
    this.#later = later;
    this.#fail = fail;
    this.#committed = committed;
  }

  get(key: string, entity: string): Change {
    for (const { before, cleared } of this.#later()) {
      const image = before.get(key);
      if (image === UNKNOWN || (image === undefined && cleared.has(entity))) return this.#fail("what a key held");
      if (image !== undefined) return image;
    }
    return this.#committed.get(key, entity);
  }

  /** Nothing is written here, and the row stays once it is there. */
  hasLifetime(row: string): boolean {
    return this.#committed.hasLifetime(row);
  }

  range(
    prefix: string,
    entity: string,
    from: string,
    to: string,
    limit: number,
    reverse: boolean,
  ): Array<[string, string]> {
    const images = new Map<string, Before>();
    for (const { before, cleared } of this.#later()) {
      if (cleared.has(entity)) return this.#fail("what a cleared key held");
      for (const [key, image] of before) {
        if (prefixOf(key) !== prefix || key === prefix || images.has(key)) continue;
        if (compareKeys(key, from) >= 0 && compareKeys(key, to) < 0) images.set(key, image);
      }
    }
    const found = new Map(this.#committed.range(prefix, entity, from, to, limit + images.size, reverse));
    for (const [key, image] of images) {
      if (image === UNKNOWN) return this.#fail("what an entry held");
      if (image === null) found.delete(key);
      else found.set(key, image);
    }
    return inOrder(found, limit, reverse);
  }
}
