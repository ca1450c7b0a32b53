/** What the flow `emits` must come to, from its events in their order. */
import { RULES } from "../app.ts";
import { type FlowBatch, type FlowEvent, groupBy, latest, NO_TIME, type Outcome, type Row, sumOf } from "./events.ts";

export class EmitsModel {
  watermark = NO_TIME;
  batches = 0;
  readonly #events: FlowEvent[] = [];
  /** By key: times that are yet to come. */
  readonly #timers = new Map<string, Set<number>>();

  take({ events }: FlowBatch): Outcome {
    this.batches += 1;
    this.watermark = Math.max(this.watermark, latest(events.map(({ at }) => at)) - RULES.emittedOutOfOrderness);
    for (const event of events) {
      this.#events.push(event);
      this.#timers.set(event.k, (this.#timers.get(event.k) ?? new Set()).add(event.at + RULES.timer));
    }
    return { late: [], given: { emitsLog: events.map(({ n }) => ({ n })), fired: this.#fired() } };
  }

  #fired(): Row[] {
    return [...this.#timers].flatMap(([k, timers]) => {
      const due = [...timers].filter((at) => at <= this.watermark);
      for (const at of due) timers.delete(at);
      return due.map((at) => ({ k, at, n: this.#events.filter((event) => event.k === k).length }));
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
