/**
 * An app whose flow sets events aside: shelves that refuse what does not fit them, and windows for which events come too late. And one whose forms
 * and entries have numbers of all kinds.
 */
import {
  collection,
  contract,
  count,
  flow,
  fn,
  int64,
  query,
  service,
  sinks,
  stream,
  text,
  tidegate,
  timestamp,
  tumbling,
} from "tidegate";
import * as z from "zod";

const Shelf = contract("shelf", {
  put: fn({ input: z.object({ n: z.int() }), refusals: { full: z.object({ room: z.int() }) } }),
  clear: fn({}),
  total: query({ output: z.int() }),
});
const ROOM = 10;
const shelf = service(
  Shelf,
  { state: () => ({ total: 0 }) },
  {
    put(ctx, { n }) {
      const { total } = ctx.state;
      if (total + n > ROOM) throw ctx.refuse("full", { room: ROOM - total });
      ctx.state.total += n;
    },
    clear(ctx) {
      ctx.state.total = 0;
    },
    total: (ctx) => ctx.state.total,
  },
);

const Tags = z.array(z.record(z.string(), z.int()));
const Price = contract("price", {
  set: fn({ input: z.object({ amount: z.number() }), output: z.number() }),
  cap: fn({ input: z.object({ amount: z.number().max(1e18) }), output: z.number() }),
  tag: fn({ input: z.object({ tags: Tags }), output: Tags }),
  note: fn({ input: z.object({ at: z.number() }) }),
});
const price = service(
  Price,
  { collections: { notes: collection<string, number>() } },
  {
    set: (_, { amount }) => amount,
    cap: (_, { amount }) => amount,
    tag: (_, { tags }) => tags,
    note(ctx, { at }) {
      ctx.collections.notes.set(at, "noted");
    },
  },
);

const Deliveries = stream("deliveries", { shelf: text(), n: int64(), code: int64(), at: timestamp() });
const deliveries = flow("stocking").from(Deliveries, { time: "at" });
const stocking = sinks(
  deliveries.call(Shelf, "put", { key: (e) => e.shelf, input: (e) => ({ n: Number(e.n) }) }),
  deliveries.keyBy("shelf").window(tumbling("1m")).aggregate({ deliveries: count() }).toView("deliveries-per-minute"),
);

const app = tidegate({ services: [shelf, price], flows: [stocking], partitions: 2 });
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
