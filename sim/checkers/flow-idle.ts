/** The flow whose sources fall idle: when that is depends on clocks, so what was late is taken from its own list, and must be possible. */
import { Left, OUT, RULES } from "../flows/app.ts";
import type { SentBatch } from "../flows/history.ts";
import { canonical, type FlowEvent, groupBy, latest, NO_TIME, type Row, sumOf } from "../flows/model/events.ts";
import type { Finding } from "./finding.ts";
import { type FinalReads, finding, sameRows } from "./flow-results.ts";

export function checkIdle(batches: readonly SentBatch[], final: FinalReads): Finding[] {
  const late = new Set(final.aside("late of idle"));
  const isLate = ({ n }: FlowEvent): boolean => late.has(`idled ${n}`);
  const events = batches.flatMap((batch) => batch.events);
  const kept = events.filter((event) => !isLate(event));
  const { rows, watermark } = final.view("idled");
  const windows = [...groupBy(kept, (event) => `${endOf(event)} ${event.k}`).values()].map((group) => {
    const [first] = group as [FlowEvent];
    return { k: first.k, windowStart: endOf(first) - RULES.idled.size, windowEnd: endOf(first), ...totals(group) };
  });
  const reached = watermark ?? NO_TIME;
  const shown = windows.map(({ k, windowStart: start, windowEnd: end, count, total }) => ({
    key: k,
    window: { start, end },
    count,
    total,
    final: end <= reached,
  }));
  return [
    ...checkLate(batches, isLate, late.size),
    ...sameRows("wrong-view", "view idled", rows, shown),
    ...sameRows(
      "wrong-output",
      `stream ${OUT.idled.name}`,
      final.stream("idled").events,
      windows.filter(({ windowEnd }) => windowEnd <= reached),
    ),
    ...checkProcessed(events, final.stream("processed").events),
  ];
}

/** The watermark is between that of the slowest source and that of the quickest. */
function checkLate(batches: readonly SentBatch[], isLate: (event: FlowEvent) => boolean, listed: number): Finding[] {
  const reached = { left: NO_TIME, right: NO_TIME };
  let count = 0;
  for (const { stream, events } of batches) {
    const [slowest, quickest] = [Math.min(...Object.values(reached)), Math.max(...Object.values(reached))];
    for (const event of events) {
      if (isLate(event)) count += 1;
      if (isLate(event) && endOf(event) > quickest) {
        return [
          finding("wrong-late", `event ${event.n} is late for flow idle, and time had come to ${quickest} at most`),
        ];
      }
      if (!isLate(event) && endOf(event) <= slowest) {
        return [finding("wrong-late", `event ${event.n} is not late for flow idle, and time had come to ${slowest}`)];
      }
    }
    const side = stream === Left.name ? "left" : "right";
    reached[side] = Math.max(reached[side], latest(events.map(({ at }) => at)) - RULES.outOfOrderness);
  }
  return count === listed
    ? []
    : [finding("wrong-late", `flow idle lists ${listed} late events, of which ${count} are its own`)];
}

/** Which window of the server's time an event is in nobody knows: each is in one, and each window has ended once. */
function checkProcessed(events: readonly FlowEvent[], given: readonly Row[]): Finding[] {
  const windows = given.map(({ k, windowStart }) => canonical([k, windowStart]));
  const twice = windows.find((window, at) => windows.indexOf(window) !== at);
  if (twice !== undefined) return [finding("wrong-output", `the window ${twice} of the server's time has ended twice`)];
  const counted = [...groupBy(given, ({ k }) => String(k))].map(([k, rows]) => ({
    k,
    count: rows.reduce((sum, row) => sum + Number(row["count"]), 0),
    total: rows.reduce((sum, row) => sum + Number(row["total"]), 0),
  }));
  const expected = [...groupBy(events, ({ k }) => k)].map(([k, group]) => ({ k, ...totals(group) }));
  return sameRows("wrong-output", `stream ${OUT.processed.name}`, counted, expected);
}

const totals = (events: readonly FlowEvent[]) => ({ count: events.length, total: sumOf(events) });
const endOf = ({ at }: FlowEvent): number => Math.floor(at / RULES.idled.size) * RULES.idled.size + RULES.idled.size;
