/** Says when the server is away and when it is back, once for all requests that wait for it. */

/** Milliseconds without an answer after which it is said: a connection that breaks now and then is nobody's concern. */
const PATIENCE_MS = 300;

export class Away {
  readonly #say: (text: string) => void;
  #since: number | undefined;
  #said = false;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** An attempt got no answer. @param now milliseconds of a monotonic clock */
  failed(now: number, reason: string): void {
    this.#since ??= now;
    if (this.#said || now - this.#since < PATIENCE_MS) return;
    this.#said = true;
    this.#say(`server away (${reason}), retrying`);
  }

  /** An attempt got an answer. */
  answered(now: number): void {
    if (this.#said) this.#say(`server back after ${((now - (this.#since ?? now)) / 1_000).toFixed(1)} s`);
    this.#since = undefined;
    this.#said = false;
  }
}
