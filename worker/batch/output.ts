/** The body of a batch's answer: bytes are queued for the reader, and producers wait while the queue is full. */
import { LIMITS } from "../limits.ts";

const encoder = new TextEncoder();

export class Output {
  readonly stream: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #cancelled = false;
  #waiting: (() => void)[] = [];

  constructor() {
    const source = {
      start: (controller: ReadableStreamDefaultController<Uint8Array>) => void (this.#controller = controller),
      pull: () => this.wake(),
      cancel: () => {
        this.#cancelled = true;
        this.wake();
      },
    };
    this.stream = new ReadableStream(
      source,
      new ByteLengthQueuingStrategy({ highWaterMark: LIMITS.outputBufferBytes }),
    );
  }

  /** Whether the reader went away, or was cut off by {@link fail}; what is written then goes nowhere. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  get hasRoom(): boolean {
    return this.#cancelled || (this.#controller?.desiredSize ?? 0) > 0;
  }

  write(text: string): void {
    if (!this.#cancelled && text !== "") this.#controller?.enqueue(encoder.encode(text));
  }

  /** Resolves at the next change: the reader took something or went away, or somebody called {@link wake}. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  close(): void {
    if (!this.#cancelled) this.#controller?.close();
  }

  /** Breaks the connection, so that a reader cannot take what it has for the whole. */
  fail(error: unknown): void {
    if (!this.#cancelled) this.#controller?.error(error);
    this.#cancelled = true;
    this.wake();
  }
}
