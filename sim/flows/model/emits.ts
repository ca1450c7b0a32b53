/** What the flow `emits` must come to, from its events in their order. */
import { RULES } from "../app.ts";
import { isRefusing, markOf } from "../versions.ts";
import { type FlowBatch, type FlowEvent, groupBy, latest, NO_TIME, type Outcome, type Row, sumOf } from "./events.ts";

export class EmitsModel {
  watermark = NO_TIME;
  batches = 0;
  readonly #events: FlowEvent[] = [];
  /** By key: times that are yet to come. */
  #timers = new Map<string, Set<number>>();
  /** Events from here on are known to what keeps the timers. */
  #begin = 0;
  #version = 0;

  /** @param version of the flow that takes it */
  take({ events }: FlowBatch, version = 0): Outcome {
    this.batches += 1;
    if (isRefusing(version) !== isRefusing(this.#version)) {
      this.#timers = new Map();
      this.#begin = this.#events.length;
    }
    this.#version = version;
    this.watermark = Math.max(this.watermark, latest(events.map(({ at }) => at)) - RULES.emittedOutOfOrderness);
    for (const event of events) {
      this.#events.push(event);
      this.#timers.set(event.k, (this.#timers.get(event.k) ?? new Set()).add(event.at + RULES.timer));
    }
    const log = events.map(({ n }) => ({ n: n + markOf(version) }));
    return { late: [], given: { emitsLog: log, fired: this.#fired() } };
  }

  #fired(): Row[] {
    return [...this.#timers].flatMap(([k, timers]) => {
      const due = [...timers].filter((at) => at <= this.watermark);
      for (const at of due) timers.delete(at);
      return due.map((at) => ({ k, at, n: this.#events.slice(this.#begin).filter((event) => event.k === k).length }));
    });
  }

  view(name: "running" | "last"): Row[] {
    const groups = [...groupBy(this.#events, ({ k }) => k)];
    if (name === "running") {
      return groups.map(([k, events]) => ({
        k,
        count: events.length,
        total: sumOf(events),
        least: Math.min(...events.map(({ v }) => v)),
      }));
    }
    // Of those of one time the one that came last.
    return groups.map(([, events]) => ({ ...events.reduce((last, event) => (event.at >= last.at ? event : last)) }));
  }
}
