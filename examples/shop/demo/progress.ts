/** Progress on the terminal: one line that changes, or plain lines now and then where nobody watches. */

const LIVE_MS = 200;
const PLAIN_MS = 2_000;

/** Says something between lines of progress. */
export function say(text: string): void {
  console.log(process.stdout.isTTY ? `\r\x1b[K${text}` : text);
}

export class Progress {
  readonly #what: string;
  readonly #total: number;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #done = 0;
  #shown = -1;

  constructor(what: string, total: number) {
    this.#what = what;
    this.#total = total;
    this.#timer = setInterval(() => this.#show(), process.stdout.isTTY ? LIVE_MS : PLAIN_MS);
    this.#show();
  }

  add(count: number): void {
    this.#done += count;
  }

  /** Ends the display; returns the seconds since the start. */
  end(): number {
    clearInterval(this.#timer);
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    this.#show();
    if (process.stdout.isTTY) process.stdout.write("\n");
    return seconds;
  }

  #show(): void {
    if (this.#done === this.#shown) return;
    this.#shown = this.#done;
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    const rate = Math.round(this.#done / Math.max(seconds, 0.001));
    const count = (value: number): string => value.toLocaleString("en");
    const text = `${this.#what}: ${count(this.#done)} of ${count(this.#total)}, ${count(rate)}/s`;
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`);
    else console.log(text);
  }
}
