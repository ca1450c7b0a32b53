/** The streams of Nexmark, apart for each query, since each query is measured alone: its own streams have the fields that it reads. */
import { type Fields, int64, stream, text, timestamp } from "../../../sdk/index.ts";

export const PERSON = {
  id: int64(),
  name: text(),
  emailAddress: text(),
  creditCard: text(),
  city: text(),
  state: text(),
  dateTime: timestamp(),
  extra: text(),
} as const;

export const AUCTION = {
  id: int64(),
  itemName: text(),
  description: text(),
  initialBid: int64(),
  reserve: int64(),
  dateTime: timestamp(),
  expires: timestamp(),
  seller: int64(),
  category: int64(),
  extra: text(),
} as const;

export const BID = {
  auction: int64(),
  bidder: int64(),
  price: int64(),
  channel: text(),
  url: text(),
  dateTime: timestamp(),
  extra: text(),
} as const;

/** How far events may be behind the latest of their stream; the naive evaluations have the same. */
export const TIME = { time: "dateTime", outOfOrderness: "4s" } as const;

/** Some of a kind's fields. */
function pick<F extends Fields, const N extends keyof F & string>(fields: F, names: readonly N[]): Pick<F, N> {
  return Object.fromEntries(names.map((name) => [name, fields[name]])) as Pick<F, N>;
}

/** A query's stream of one kind of events, with these of their fields. */
export const bids = <const N extends keyof typeof BID>(query: string, ...names: readonly N[]) =>
  stream(`${query}-bid`, pick(BID, names));
/** Of a query that reads no bids: they come all the same, as the generator makes them, and are checked. */
export const unread = (query: string) => stream(`${query}-bid`, BID);
export const auctions = <const N extends keyof typeof AUCTION>(query: string, ...names: readonly N[]) =>
  stream(`${query}-auction`, pick(AUCTION, names));
export const people = <const N extends keyof typeof PERSON>(query: string, ...names: readonly N[]) =>
  stream(`${query}-person`, pick(PERSON, names));
