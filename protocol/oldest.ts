/**
 * The first key of a map from which first keys are taken again and again. A new iterator would walk over all that was deleted before it, each
 * time; this one stays where it is. Every deletion must be told.
 */
export class Oldest<Key extends string | number> {
  readonly #map: ReadonlyMap<Key, unknown>;
  #keys: Iterator<Key>;
  /** Was looked at, and is still there. */
  #first: Key | undefined;

  constructor(map: ReadonlyMap<Key, unknown>) {
    this.#map = map;
    this.#keys = map.keys();
  }

  /** The key that was set before all others; undefined when there is none. */
  get key(): Key | undefined {
    if (this.#first === undefined) {
      let next = this.#keys.next();
      if (next.done === true) {
        // All that it has passed is deleted: what is there was set after it had come to the end.
        this.#keys = this.#map.keys();
        next = this.#keys.next();
      }
      this.#first = next.done === true ? undefined : next.value;
    }
    return this.#first;
  }

  /** The key has been deleted, to be set again or not. */
  deleted(key: Key): void {
    if (key === this.#first) this.#first = undefined;
  }
}
