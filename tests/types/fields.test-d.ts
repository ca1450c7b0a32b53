/** What the compiler must accept and refuse of boolean, optional and nested fields: each refused line names the error code that it must cause. */

import { createClient } from "../../sdk/client/index.ts";
import {
  avg,
  boolean,
  count,
  flow,
  int64,
  last,
  nested,
  optional,
  stream,
  sum,
  text,
  timestamp,
  tumbling,
  when,
} from "../../sdk/index.ts";

const Orders = stream("orders", {
  id: nested("order.id", text()),
  country: optional(nested("order.address.country", text())),
  cents: optional(int64()),
  gift: boolean(),
  at: timestamp(),
  seen: optional(timestamp()),
});
const orders = flow("f").from(Orders, { time: "at" });

orders.filter((e) => e.gift);
orders.filter((e) => e.gift.not().and(e.cents.coalesce(0).gt(1)).or(e.country.isNull()));
orders.filterRows((e) => {
  e.country satisfies string | null;
  e.gift satisfies boolean;
  e.cents satisfies number | bigint | null;
  // @ts-expect-error TS1360: what may be null is more than a text
  e.country satisfies string;
  return e.gift;
});
const mapped = orders.map((e) => ({
  country: e.country,
  known: e.country.coalesce("?"),
  either: e.cents.coalesce(e.cents),
  maybe: when(e.gift, e.id, null),
  gift: e.gift.eq(true),
}));

const shown = flow("g")
  .from(Orders, { time: "at" })
  .keyBy("gift")
  .aggregate({ n: count(), cents: sum("cents"), mean: avg("cents"), country: last("country"), last: last("id") })
  .toView("v");
const client = createClient("http://localhost:8787", {});
for (const row of (await client.view(shown).get(true)).rows) {
  row.gift satisfies boolean;
  row.cents satisfies number | bigint;
  row.mean satisfies number | null;
  row.country satisfies string | null;
  row.last satisfies string;
  // @ts-expect-error TS1360: the mean of an optional field may be null
  row.mean satisfies number;
}

await client.stream(Orders).send([
  { id: "a", gift: true, at: 0 },
  { id: "a", gift: false, at: 0, country: null, cents: undefined, seen: 1 },
]);
for await (const { event } of client.stream(Orders).read()) event.country satisfies string | null;

// What always has a value may go where there may be none, and not the other way round.
const Loose = stream("loose", { id: optional(text()), gift: boolean() });
const Strict = stream("strict", { country: text(), gift: boolean() });
orders.map((e) => ({ id: e.id, gift: e.gift })).toStream(Loose);
// @ts-expect-error TS2345: null where there is always a value
orders.map((e) => ({ country: e.country, gift: e.gift })).toStream(Strict);

// @ts-expect-error TS2339: a comparison of what may be null
orders.filter((e) => e.country.eq("de"));
// @ts-expect-error TS2740: what may be null as a condition
orders.map((e) => ({ ok: when(e.cents.coalesce(0).gt(0), e.gift, null) })).filter((e) => e.ok);
// @ts-expect-error TS2339: null asked of what has always a value
orders.filter((e) => e.gift.isNull());
// @ts-expect-error TS2769: another kind for null
orders.map((e) => ({ country: e.country.coalesce(0) }));
// @ts-expect-error TS2345: an optional key
orders.keyBy("country");
// @ts-expect-error TS2322: an optional time
flow("f").from(Orders, { time: "seen" });
const byGift = orders.keyBy("gift").window(tumbling("1m"));
// @ts-expect-error TS2322: the sum of a boolean
byGift.aggregate({ n: sum("gift") });
// @ts-expect-error TS2345: a key that the map made optional
mapped.keyBy("maybe");
// @ts-expect-error TS2322: null for a field that is not optional
await client.stream(Orders).send([{ id: null, gift: true, at: 0 }]);
// @ts-expect-error TS2322: a number for a boolean
await client.stream(Orders).send([{ id: "a", gift: 1, at: 0 }]);
