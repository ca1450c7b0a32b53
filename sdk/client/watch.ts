/** A watch over one attempt: it aborts after a silence, or when the caller's own signal does. */

export class Watch {
  readonly #controller = new AbortController();
  readonly #timeout: number;
  readonly #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param timeout milliseconds of silence allowed, at most 23 days: a timer of 2^31 ms and more fires at once */
  constructor(timeout: number, outer: AbortSignal | undefined) {
    this.#timeout = Math.min(timeout, 2e9);
    this.#outer = outer;
    outer?.addEventListener("abort", this.#follow);
    if (outer?.aborted === true) this.#follow();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The silence begins now. */
  start(): void {
    this.pause();
    this.#timer = setTimeout(() => this.#controller.abort(new Error(`silence of ${this.#timeout} ms`)), this.#timeout);
  }

  /** Nobody is waiting at the moment. */
  pause(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  /** Lets go of the caller's signal; must be called, or a long-lived signal collects watches. */
  end(): void {
    this.pause();
    this.#outer?.removeEventListener("abort", this.#follow);
  }

  readonly #follow = (): void => this.#controller.abort(this.#outer?.reason);
}

/** What comes of a promise, unless the signal aborts before: then nobody waits for it any more. @throws the signal's reason */
export function unlessAborted<T>(result: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal?.reason);
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop, { once: true });
    result.then(resolve, reject).finally(() => signal?.removeEventListener("abort", stop));
  });
}
