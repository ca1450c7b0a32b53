/** Which version of the app's code an instance gets that begins: from a time on the next one, and for a while either. */
import type { AppDefinition } from "../../sdk/index.ts";
import type { Random } from "../random.ts";

export class Rollout {
  readonly #versions: readonly AppDefinition[];
  readonly #times: readonly number[];
  readonly #lastsMs: number;
  readonly #random: Random;
  readonly #waits: (version: number) => boolean;
  #finished = 0;

  /**
   * @param times when each version behind the first is deployed by itself, and `lastsMs` how long that takes; ms
   * @param waits whether a version is not deployed yet, although it is time: instances get the one before
   */
  constructor(
    versions: readonly AppDefinition[],
    times: readonly number[],
    lastsMs: number,
    random: Random,
    waits: (version: number) => boolean = () => false,
  ) {
    this.#waits = waits;
    this.#versions = versions;
    this.#times = times;
    this.#lastsMs = lastsMs;
    this.#random = random;
  }

  /** Whoever begins from now on has this version or a later one. */
  finish(version: number): void {
    this.#finished = Math.max(this.#finished, version);
  }

  appAt(now: number): AppDefinition {
    let version = this.#finished;
    for (const [at, time] of this.#times.entries()) {
      const isEither = now < time + this.#lastsMs;
      if (now >= time && (!isEither || this.#random.oneIn(2))) version = Math.max(version, at + 1);
    }
    if (version > this.#finished && this.#waits(version)) version -= 1;
    return this.#versions[version] as AppDefinition;
  }
}
