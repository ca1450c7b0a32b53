/** What happened, as a hash that two runs of one seed must share, and as lines for people when somebody wants to read them. */

export class Trace {
  /** Absent when nobody reads: to make the lines costs more than the run. */
  readonly lines: string[] | undefined;
  #hash = 0x811c9dc5;

  constructor(wanted: boolean) {
    this.lines = wanted ? [] : undefined;
  }

  /** Mixes numbers that say what happened (FNV-1a, on 32-bit words). */
  mix(what: number, where: number, time: number): void {
    let hash = Math.imul(this.#hash ^ what, 0x01000193);
    hash = Math.imul(hash ^ where, 0x01000193);
    this.#hash = Math.imul(hash ^ ((time * 4096) | 0), 0x01000193);
  }

  say(time: number, text: () => string): void {
    this.lines?.push(`${time.toFixed(2).padStart(9)}  ${text()}`);
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }
}
