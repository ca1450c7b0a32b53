/** What the flow `kernel` must come to, from its events in their order. */
import { RULES } from "../app.ts";
import { type FlowBatch, type FlowEvent, groupBy, latest, NO_TIME, type Outcome, type Row, sumOf } from "./events.ts";

export class KernelModel {
  watermark = NO_TIME;
  batches = 0;
  readonly #accepted: FlowEvent[] = [];

  take({ events }: FlowBatch): Outcome {
    this.batches += 1;
    const before = this.watermark;
    this.watermark = Math.max(before, latest(events.map(({ at }) => at)) - RULES.outOfOrderness);
    const seen = events.filter(({ v }) => v > 0);
    const late = seen.filter((event) => endOf(event) <= before);
    this.#accepted.push(...seen.filter((event) => endOf(event) > before));
    return { late: late.map(({ n }) => ["kernel", n]), given: {} };
  }

  view(): Row[] {
    const windows = groupBy(this.#accepted, (event) => `${endOf(event)} ${event.k}`);
    return [...windows.values()].map((events) => {
      const [first] = events as [FlowEvent];
      const end = endOf(first);
      return {
        key: first.k,
        window: { start: end - RULES.kernel.size, end },
        count: events.length,
        total: sumOf(events),
        least: Math.min(...events.map(({ v }) => v)),
        final: end <= this.watermark,
      };
    });
  }
}

const endOf = ({ at }: FlowEvent): number => Math.floor(at / RULES.kernel.size) * RULES.kernel.size + RULES.kernel.size;
