/** q5, q7, q8, q11, q12: windows, their results in views. */
import { count, flow, processing, session, sliding, top, tumbling } from "../../../sdk/index.ts";
import { type Query, type Shown, startOf } from "./query.ts";
import { auctions, bids, people, TIME } from "./streams.ts";

const SLIDE = 2_000;
const SIZE = 10_000;

/** Members of a list that is shown. */
const list = (shown: Shown, name: string) => shown[name] as ReadonlyArray<Readonly<Record<string, number>>>;

export const q5: Query = {
  name: "q5",
  flow: flow("q5")
    .from(bids("q5", "auction", "dateTime"), TIME)
    .keyBy("auction")
    .window(sliding("10s", "2s"))
    .aggregate({ num: count() })
    // The counts of a window come together when it closes, at its last millisecond.
    .keyBy()
    .window(tumbling("2s"))
    .aggregate({ hot: top(1, { by: "num", of: ["auction", "num"], ties: true }) })
    .toView("q5"),
  reads: ["bid"],
  shows: { view: "q5" },
  rowsOf: (shown) =>
    list(shown, "hot").map(
      (row) => ({ start: startOf(shown) + SLIDE - SIZE, ...row }) as Readonly<Record<string, number>>,
    ),
};

export const q7: Query = {
  name: "q7",
  flow: flow("q7")
    .from(bids("q7", "auction", "bidder", "price", "dateTime"), TIME)
    .keyBy()
    .window(tumbling("10s"))
    .aggregate({ highest: top(1, { by: "price", of: ["auction", "bidder", "price", "dateTime"], ties: true }) })
    .toView("q7"),
  reads: ["bid"],
  shows: { view: "q7" },
  rowsOf: (shown) =>
    list(shown, "highest").map((row) => ({ start: startOf(shown), ...row }) as Readonly<Record<string, number>>),
};

const f8 = flow("q8");
export const q8: Query = {
  name: "q8",
  flow: f8
    .from(people("q8", "id", "name", "dateTime"), TIME)
    .keyBy("id")
    .join(f8.from(auctions("q8", "seller", "dateTime"), TIME).keyBy("seller"))
    .window(tumbling("10s"))
    .select(({ id, name, dateTime }) => ({ start: dateTime.floor("10s"), id, name }))
    .toView("q8", { key: ["start", "id"] }),
  reads: ["person", "auction"],
  shows: { view: "q8" },
  rowsOf: ({ start, id, name }) => [{ start, id, name } as Readonly<Record<string, number>>],
};

export const q11: Query = {
  name: "q11",
  flow: flow("q11")
    .from(bids("q11", "bidder", "dateTime"), TIME)
    .keyBy("bidder")
    .window(session("10s"))
    .aggregate({ bids: count() })
    .toView("q11"),
  reads: ["bid"],
  shows: { view: "q11" },
  rowsOf: ({ key, window, bids: some }) => [
    { bidder: key, bids: some, ...(window as { start: number; end: number }) } as Readonly<Record<string, number>>,
  ],
};

export const q12: Query = {
  name: "q12",
  flow: flow("q12")
    .from(bids("q12", "bidder", "dateTime"), TIME)
    .keyBy("bidder")
    .window(processing(tumbling("10s")))
    .aggregate({ bids: count() })
    .toView("q12"),
  reads: ["bid"],
  shows: { view: "q12" },
  rowsOf: (shown) => [
    { bidder: shown["key"], start: startOf(shown), bids: shown["bids"] } as Readonly<Record<string, number>>,
  ],
  byClock: true,
};
