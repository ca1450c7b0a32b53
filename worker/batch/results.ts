/** Where results of a batch go on their way out: in the order in which they come, or in that of the lines. */
import type { RoutedFrame } from "../../core-wasm/types.ts";
import { invariant } from "../../protocol/assert.ts";
import { LIMITS } from "../limits.ts";
import type { Output } from "./output.ts";

export interface Results {
  /** Resolves when this frame may be sent: its results would find room, or others wait for them. */
  room(frame: RoutedFrame): Promise<void>;
  /** Takes the text of one line's result. Each line comes once. */
  add(line: number, text: string): void;
  /** Passes on what can go. Called once for each answer, so that its lines share the cost. */
  flush(): void;
  /** Lines taken so far. */
  readonly added: number;
}

/** Results leave as they come. */
export class CompletionOrder implements Results {
  readonly #output: Output;
  #text = "";
  added = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  async room(): Promise<void> {
    while (!this.#output.hasRoom) await this.#output.changed();
  }

  add(_line: number, text: string): void {
    this.#text += text;
    this.added++;
  }

  flush(): void {
    this.#output.write(this.#text);
    this.#text = "";
  }
}

/**
 * Results leave in the order of their lines. While too many wait for a predecessor, only the frame that has the predecessor is sent;
 * there is always one such frame, so that the batch goes on.
 */
export class InputOrder implements Results {
  readonly #output: Output;
  readonly #texts: (string | undefined)[];
  /** Lines without a result, such as blank ones, are not waited for. */
  readonly #expected: Uint8Array;
  readonly #firstLines: ReadonlyMap<RoutedFrame, number>;
  #next = 1;
  #waitingChars = 0;
  added = 0;

  /** @param expected 1 at the index of each line that gets a result */
  constructor(output: Output, expected: Uint8Array, firstLines: ReadonlyMap<RoutedFrame, number>) {
    this.#output = output;
    this.#expected = expected;
    this.#firstLines = firstLines;
    this.#texts = new Array<string | undefined>(expected.length).fill(undefined);
    this.#skip();
  }

  async room(frame: RoutedFrame): Promise<void> {
    const firstLine = this.#firstLines.get(frame) ?? 0;
    while (!this.#mayGo(firstLine)) await this.#output.changed();
  }

  #mayGo(firstLine: number): boolean {
    if (this.#output.cancelled) return true;
    return this.#output.hasRoom && (this.#waitingChars < LIMITS.orderedBufferChars || firstLine <= this.#next);
  }

  add(line: number, text: string): void {
    invariant(
      this.#expected[line] === 1 && this.#texts[line] === undefined,
      "a result is for no line, or the second for one",
    );
    this.#texts[line] = text;
    this.#waitingChars += text.length;
    this.added++;
  }

  flush(): void {
    let ready = "";
    for (let text = this.#texts[this.#next]; text !== undefined; text = this.#texts[this.#next]) {
      this.#texts[this.#next] = undefined;
      this.#expected[this.#next] = 0;
      ready += text;
      this.#skip();
    }
    if (ready === "") return;
    this.#waitingChars -= ready.length;
    this.#output.write(ready);
    // Lanes that were held back look again: the front has moved.
    this.#output.wake();
  }

  #skip(): void {
    while (this.#next < this.#expected.length && this.#expected[this.#next] !== 1) this.#next++;
  }
}
