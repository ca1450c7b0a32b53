/** Messages of a queue: each is an event once, none is lost, and whoever looks sees those that were acknowledged before. */
import { canonical, groupBy, type Row, sumOf } from "../flows/model/events.ts";
import type { QueueHistory } from "../flows/queue/history.ts";
import type { Finding } from "./finding.ts";
import { orderOfEvents } from "./flow-order.ts";
import { checkMoment } from "./flow-reads.ts";
import { finding, sameRows, type ViewBody } from "./flow-results.ts";

export function checkQueue({ sent, log, tallies, reads }: QueueHistory): Finding[] {
  const { batches, findings } = orderOfEvents("queue", sent, log);
  // What is judged by an order that is wrong would be wrong everywhere.
  if (findings.length > 0) return [...findings];
  const events = batches.flatMap((message) => message.events);
  return [
    ...Object.entries(tallies).flatMap(([key, noted]) => {
      const own = events.filter(({ k }) => k === key).map(({ n }) => n);
      if (own.join() === noted.join()) return [];
      return [finding("wrong-calls", `key ${key} was told of ${noted.join()}, which should be ${own.join()}`, key)];
    }),
    ...reads.flatMap((read): Finding[] => {
      const { rows, events: count } = JSON.parse(read.body) as ViewBody;
      // Each message counts as a batch: how many came together is the queue's affair.
      const moment = checkMoment(read, batches, count);
      if (moment.length > 0) return moment;
      const expected = [...groupBy(events.slice(0, count), ({ k }) => k)].map(([k, of]): Row => ({
        k,
        count: of.length,
        total: sumOf(of),
      }));
      const what = `${read.name}, of messages ${canonical(count)} of ${events.length},`;
      return sameRows("wrong-view", what, rows, expected);
    }),
  ];
}
