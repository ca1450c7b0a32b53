/** The world outside, which no transaction can undo: what effects have done to it, under which key. */
import type { OutsideCall, OutsideEnd } from "../../protocol/outside/work.ts";
import { decodeValue } from "../../sdk/values.ts";
import { type Deed, deed } from "../clients/outside-service.ts";
import { toll } from "../clients/tour-service.ts";
import { EndsWorld, isEnd } from "../flows/ends/world.ts";
import type { Random } from "../random.ts";
import type { World } from "./world.ts";

/** Something that was done. */
export interface Done {
  readonly n: number;
  /** The effect's key. */
  readonly id: string;
  /** Simulated. */
  readonly ms: number;
}

/** Runs an attempt of an effect: `ended` is called once, whatever becomes of it, as the shell would. */
export type RunOutside = (call: OutsideCall, random: Random, ended: (end: OutsideEnd) => void) => void;

const SOON_MS = 20;
const LATE_MS = 400;
/** Once in so many times a call, or the word of its end, is lost. */
const LOST = 8;

export class OutsideWorld {
  readonly done: Done[] = [];
  /** The same, of the effects of sagas. */
  readonly tolls: Done[] = [];
  /** What ends of flows have delivered. */
  readonly ends = new EndsWorld();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Runs an attempt; `ended` is called once, whatever becomes of it, as the shell would. */
  run({ id, name, input }: OutsideCall, random: Random, ended: (end: OutsideEnd) => void): void {
    const { scheduler } = this.#world;
    const happens = (): boolean => !this.#world.calm && random.oneIn(LOST);
    const later = (): number => random.next() * (happens() ? LATE_MS : SOON_MS);
    const interrupted: OutsideEnd = { ok: false, final: false, type: "interrupted", message: "lost" };
    if (happens()) {
      this.#world.count("effect lost before it began");
      scheduler.in(later(), () => ended(interrupted));
      return;
    }
    scheduler.in(later(), () => {
      const end = isEnd(name)
        ? this.ends.deliver(name, id, input, scheduler.now)
        : this.#do(name, id, decodeValue(input) as Deed);
      const isLost = happens();
      if (isLost) this.#world.count("effect lost after it was done");
      scheduler.in(later(), () => ended(isLost ? interrupted : end));
    });
  }

  #do(name: string, id: string, { n, failures, final }: Deed): OutsideEnd {
    const ms = this.#world.scheduler.now;
    const before = [...this.done, ...this.tolls].filter((each) => each.n === n).length;
    if (name === deed.name) this.done.push({ n, id, ms });
    if (name === toll.name) this.tolls.push({ n, id, ms });
    if (final) return { ok: false, final: true, type: "effect-failed", message: "never" };
    if (before < failures) return { ok: false, final: false, type: "effect-failed", message: "not yet" };
    return { ok: true, value: String(n) };
  }
}
