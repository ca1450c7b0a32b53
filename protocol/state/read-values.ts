/**
 * States that queries have read, as values beside their texts: a hot key whose state is large is not parsed for every query. Functions that may write
 * get a value of their own, since what they keep of it must not be anybody's state.
 */
import { freezeDeep } from "../../sdk/freeze.ts";
import { decodeValue, isPlainText } from "../../sdk/values.ts";

interface Read {
  readonly text: string;
  readonly value: unknown;
}

export class ReadValues {
  readonly #least: number;
  readonly #most: number;
  /** By state key, least recently read first. */
  readonly #values = new Map<string, Read>();
  #units = 0;

  /**
   * @param least characters: what is shorter is parsed faster than looked up
   * @param most characters of all texts together
   */
  constructor(least: number, most: number) {
    this.#least = least;
    this.#most = most;
  }

  /** The value of a text that is the state of a key, frozen through and through: everybody may have the same. */
  of(key: string, text: string): unknown {
    const known = this.#values.get(key);
    if (known?.text === text) {
      this.#values.delete(key);
      this.#values.set(key, known);
      return known.value;
    }
    const value = freezeDeep(decodeValue(text));
    this.forget(key);
    // Typed arrays cannot be frozen, and what was frozen of Dates and Maps only lacks its methods.
    if (text.length < this.#least || text.length > this.#most || !isPlainText(text)) return value;
    this.#values.set(key, { text, value });
    this.#units += text.length;
    for (const oldest of this.#values.keys()) {
      if (this.#units <= this.#most) break;
      this.forget(oldest);
    }
    return value;
  }

  forget(key: string): void {
    this.#units -= this.#values.get(key)?.text.length ?? 0;
    this.#values.delete(key);
  }

  /** Characters that are kept. */
  get units(): number {
    return this.#units;
  }
}
