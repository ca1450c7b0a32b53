/** What the flow `joins` must come to, from its events in their order. */
import { Left, RULES } from "../app.ts";
import { isTurned, markOf } from "../versions.ts";
import { type FlowBatch, type FlowEvent, groupBy, latest, NO_TIME, type Outcome, type Row, sumOf } from "./events.ts";

/** A pair within bounds. One that a row may have been forgotten for is only allowed. */
export interface Pair {
  readonly l: number;
  readonly r: number;
  readonly batch: number;
  readonly must: boolean;
}
type Side = "left" | "right";

export class JoinsModel {
  batches = 0;
  readonly near: Pair[] = [];
  /** By key: pairs that it must be told of. */
  readonly met = new Map<string, Array<readonly [number, number]>>();
  readonly #reached = { left: NO_TIME, right: NO_TIME };
  readonly #slid: FlowEvent[] = [];
  readonly #kept = { left: [] as FlowEvent[], right: [] as FlowEvent[] };
  readonly #windowed = { left: [] as FlowEvent[], right: [] as FlowEvent[] };
  #newest = new Map<string, FlowEvent>();
  #version = 0;
  readonly #joined: Row[] = [];

  get watermark(): number {
    return Math.min(this.#reached.left, this.#reached.right);
  }

  /** @param version of the flow that takes it */
  take({ stream, events }: FlowBatch, version = 0): Outcome {
    const batch = this.batches++;
    if (isTurned(version) !== isTurned(this.#version)) this.#newest = new Map();
    this.#version = version;
    const side: Side = stream === Left.name ? "left" : "right";
    const before = this.watermark;
    this.#reached[side] = Math.max(this.#reached[side], latest(events.map(({ at }) => at)) - RULES.outOfOrderness);
    const after = this.watermark;
    const late: Array<[string, number]> = [];
    for (const event of events) {
      if (!this.#slide(event, before)) late.push(["slid", event.n]);
      if (!this.#pair(event, side, batch, before)) late.push(["near", event.n]);
      if (!this.#meet(event, side, before)) late.push(["met", event.n]);
      this.#look(event, side);
    }
    this.#tell(before, after);
    return {
      late,
      given: { joinsLog: events.map(({ n }) => ({ n: n + markOf(version) })), slid: this.#ended(before, after) },
    };
  }

  #slide(event: FlowEvent, before: number): boolean {
    const { size, slide } = RULES.sliding;
    const lastStart = Math.floor(event.at / slide) * slide;
    if (lastStart + size <= before) return false;
    this.#slid.push(event);
    return true;
  }

  /** Of each window that ends here, all that is in it. */
  #ended(before: number, after: number): Row[] {
    const { size, slide } = RULES.sliding;
    const starts = new Set<number>();
    for (const { at } of this.#slid) {
      for (let start = Math.floor(at / slide) * slide; start > at - size; start -= slide) starts.add(start);
    }
    return [...starts]
      .filter((start) => start + size > before && start + size <= after)
      .flatMap((start) => {
        const events = this.#slid.filter(({ at }) => at >= start && at < start + size);
        return [...groupBy(events, ({ k }) => k)].map(([k, of]) => ({
          k,
          windowStart: start,
          windowEnd: start + size,
          count: of.length,
          total: sumOf(of),
        }));
      });
  }

  /** An event is kept until nothing in time can pair with it: what comes behind the watermark, and is not late, may still find it. */
  #pair(event: FlowEvent, side: Side, batch: number, before: number): boolean {
    const keep = { left: RULES.near.after, right: RULES.near.before };
    if (event.at + keep[side] < before) return false;
    const other = side === "left" ? "right" : "left";
    for (const one of this.#kept[other]) {
      const [left, right] = side === "left" ? [event, one] : [one, event];
      const apart = right.at - left.at;
      if (one.k !== event.k || left.v === right.v || apart < -RULES.near.before || apart > RULES.near.after) continue;
      this.near.push({ l: left.n, r: right.n, batch, must: one.at + keep[other] >= before });
    }
    this.#kept[side].push(event);
    return true;
  }

  #meet(event: FlowEvent, side: Side, before: number): boolean {
    if (metEnd(event) <= before) return false;
    this.#windowed[side].push(event);
    return true;
  }

  #tell(before: number, after: number): void {
    for (const left of this.#windowed.left) {
      const end = metEnd(left);
      if (end <= before || end > after) continue;
      for (const right of this.#windowed.right) {
        if (right.k !== left.k || metEnd(right) !== end) continue;
        this.met.set(left.k, [...(this.met.get(left.k) ?? []), [left.n, right.n]]);
      }
    }
  }

  #look(event: FlowEvent, side: Side): void {
    const known = this.#newest.get(event.k);
    if (side === "right") {
      if (known === undefined || known.at <= event.at) this.#newest.set(event.k, event);
    } else if (known !== undefined) this.#joined.push({ n: event.n, r: known.n });
  }

  view(): Row[] {
    return this.#joined;
  }
}

const metEnd = ({ at }: FlowEvent): number => Math.floor(at / RULES.met.size) * RULES.met.size + RULES.met.size;
