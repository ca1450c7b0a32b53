/**
 * The well-known generator of Nexmark (Tucker, Tufte, Papadimos, Maier; the form of Apache Beam and of nexmark-flink), seeded: of 50 events
 * one is a person, three are auctions and 46 are bids; half of the bids go to a hot auction, three of four come from a hot bidder, and
 * three of four auctions are of a hot seller. Event `n` is at `start + n / rate`; out of order, events of a group come in another order.
 */
import { seeded } from "../kernels/bids.ts";
import type { Auction, Bid, Kind, NexmarkEvent, Person } from "./events.ts";

export interface GeneratorOptions {
  readonly seed: number;
  readonly events: number;
  /** Events to a second of event time. */
  readonly perSecond: number;
  /** Events are shuffled within groups of so many; 1 is in order. */
  readonly groupSize: number;
  /** Of so many bids one comes half a minute of event time later than it should. 0: none. */
  readonly lateOneIn: number;
  /** Event time of the first event. */
  readonly start: number;
  /** Others are left out, as if they had been dropped before they were sent. */
  readonly kinds: readonly Kind[];
}

export const GENERATOR: GeneratorOptions = {
  seed: 42,
  events: 100_000,
  perSecond: 1_000,
  groupSize: 1,
  lateOneIn: 0,
  start: Date.UTC(2026, 0, 1),
  kinds: ["person", "auction", "bid"],
};

const PERSONS = 1;
const AUCTIONS = 3;
const BIDS = 46;
const PERIOD = PERSONS + AUCTIONS + BIDS;
const FIRST_PERSON = 1000;
const FIRST_AUCTION = 1000;
const FIRST_CATEGORY = 10;
const CATEGORIES = 5;
const ACTIVE_PEOPLE = 1000;
const AUCTIONS_IN_FLIGHT = 100;
/** Ids that are named before their events come. */
const PERSON_LEAD = 10;
const AUCTION_LEAD = 10;
/** One in so many ids is hot. */
const HOT_EVERY = 100;
const HOT_AUCTIONS = 2;
const HOT_BIDDERS = 4;
const HOT_SELLERS = 4;
const HOT_CHANNELS = 2;
const CHANNELS = 10_000;
const PERSON_BYTES = 200;
const AUCTION_BYTES = 500;
const BID_BYTES = 100;
const BITS = 32;
const LATE_SECONDS = 30;

const STATES = ["AZ", "CA", "ID", "OR", "WA", "WY"];
const CITIES = [
  "Phoenix",
  "Los Angeles",
  "San Francisco",
  "Boise",
  "Portland",
  "Bend",
  "Redmond",
  "Seattle",
  "Kent",
  "Cheyenne",
];
const FIRST_NAMES = ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"];
const LAST_NAMES = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];
const HOT_CHANNEL_NAMES = ["Google", "Facebook", "Baidu", "Apple"];
const LETTER_A = 97;
const LETTERS = 26;

/** Number of the newest person, from 0, when event `n` comes. */
function lastPerson(n: number): number {
  return Math.floor(n / PERIOD) * PERSONS + Math.min(n % PERIOD, PERSONS - 1);
}

/** Number of the newest auction, from 0; -1 before the first. */
function lastAuction(n: number): number {
  const offset = (n % PERIOD) - PERSONS;
  return Math.floor(n / PERIOD) * AUCTIONS + Math.min(offset, AUCTIONS - 1);
}

function kindOf(n: number): Kind {
  const offset = n % PERIOD;
  if (offset < PERSONS) return "person";
  return offset < PERSONS + AUCTIONS ? "auction" : "bid";
}

class Generator {
  readonly #options: GeneratorOptions;
  readonly #random: () => number;

  constructor(options: GeneratorOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
  }

  /** Event `n`; events are made in the order in which they come. */
  make(n: number): NexmarkEvent {
    const kind = kindOf(n);
    if (kind === "person") return { kind, event: this.#person(n) };
    if (kind === "auction") return { kind, event: this.#auction(n) };
    return { kind, event: this.#bid(n) };
  }

  #int(below: number): number {
    return Math.floor(this.#random() * below);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#int(values.length)] as T;
  }

  /** Made in one piece: a text that is added up letter by letter takes many times its length. */
  #text(length: number): string {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = LETTER_A + this.#int(LETTERS);
    return bytes.latin1Slice();
  }

  /** What is missing to about so many bytes. */
  #extra(used: number, wanted: number): string {
    if (used >= wanted) return "";
    const missing = wanted - used;
    const spread = Math.round(missing * 0.2);
    return this.#text(missing - spread + this.#int(2 * spread + 1));
  }

  #time(n: number): number {
    return this.#options.start + Math.floor((n * 1000) / this.#options.perSecond);
  }

  #price(): number {
    return Math.round(10 ** (this.#random() * 6) * 100);
  }

  #personId(n: number): number {
    const people = lastPerson(n) + 1;
    const active = Math.min(people, ACTIVE_PEOPLE);
    return FIRST_PERSON + people - active + this.#int(active + PERSON_LEAD);
  }

  #auctionId(n: number): number {
    const newest = Math.max(lastAuction(n), 0);
    const oldest = Math.max(newest - AUCTIONS_IN_FLIGHT, 0);
    return FIRST_AUCTION + oldest + this.#int(newest - oldest + 1 + AUCTION_LEAD);
  }

  #person(n: number): Person {
    const name = `${this.#pick(FIRST_NAMES)} ${this.#pick(LAST_NAMES)}`;
    const emailAddress = `${this.#text(7)}@${this.#text(5)}.com`;
    const creditCard = Array.from({ length: 4 }, () => String(this.#int(10_000)).padStart(4, "0")).join(" ");
    const [city, state] = [this.#pick(CITIES), this.#pick(STATES)];
    const used = 8 + name.length + emailAddress.length + creditCard.length + city.length + state.length;
    const id = FIRST_PERSON + lastPerson(n);
    const extra = this.#extra(used, PERSON_BYTES);
    return { id, name, emailAddress, creditCard, city, state, dateTime: this.#time(n), extra };
  }

  #auction(n: number): Auction {
    const itemName = this.#text(3 + this.#int(17));
    const description = this.#text(3 + this.#int(97));
    const initialBid = this.#price();
    const dateTime = this.#time(n);
    const horizon = this.#time(n + Math.floor((AUCTIONS_IN_FLIGHT * PERIOD) / AUCTIONS)) - dateTime;
    const hot = Math.floor(lastPerson(n) / HOT_EVERY) * HOT_EVERY;
    return {
      id: FIRST_AUCTION + lastAuction(n),
      itemName,
      description,
      initialBid,
      reserve: initialBid + this.#price(),
      dateTime,
      expires: dateTime + 1 + this.#int(Math.max(horizon * 2, 1)),
      seller: this.#int(HOT_SELLERS) > 0 ? FIRST_PERSON + hot : this.#personId(n),
      category: FIRST_CATEGORY + this.#int(CATEGORIES),
      extra: this.#extra(56 + itemName.length + description.length, AUCTION_BYTES),
    };
  }

  #bid(n: number): Bid {
    const hotAuction = Math.floor(Math.max(lastAuction(n), 0) / HOT_EVERY) * HOT_EVERY;
    const hotBidder = Math.floor(lastPerson(n) / HOT_EVERY) * HOT_EVERY + 1;
    const auction = this.#int(HOT_AUCTIONS) > 0 ? FIRST_AUCTION + hotAuction : this.#auctionId(n);
    const bidder = this.#int(HOT_BIDDERS) > 0 ? FIRST_PERSON + hotBidder : this.#personId(n);
    const price = this.#price();
    const { channel, url } = this.#channel();
    const extra = this.#extra(32 + channel.length + url.length, BID_BYTES);
    return { auction, bidder, price, channel, url, dateTime: this.#time(n), extra };
  }

  #channel(): { channel: string; url: string } {
    const url = `https://www.nexmark.com/${this.#text(5)}/${this.#text(5)}/${this.#text(5)}/item.htm?query=1`;
    if (this.#int(HOT_CHANNELS) > 0) return { channel: this.#pick(HOT_CHANNEL_NAMES), url };
    const number = this.#int(CHANNELS);
    const named = this.#int(10) > 0 ? `&channel_id=${reversed(number)}` : "";
    return { channel: `channel-${number}`, url: url + named };
  }
}

/** The bits of a number in reverse, as a whole number without sign. */
function reversed(number: number): number {
  let bits = 0;
  for (let i = 0; i < BITS; i++) bits |= ((number >>> i) & 1) << (BITS - 1 - i);
  return Math.abs(bits);
}

/** The place of the `i`-th arrival among all events: a shuffle within groups, as in Beam's generator. */
function shuffled(i: number, groupSize: number): number {
  const base = Math.floor(i / groupSize) * groupSize;
  return base + ((i * 953) % groupSize);
}

/** All events of a run, in the order in which they come. The same options always give the same. */
export function generate(given: Partial<GeneratorOptions> = {}): NexmarkEvent[] {
  const options = { ...GENERATOR, ...given };
  const { events, groupSize, lateOneIn } = options;
  if (groupSize > 1 && groupSize % 953 === 0) throw new RangeError("such a group is not shuffled but repeated");
  const generator = new Generator(options);
  const chance = seeded(options.seed + 1);
  const whole = Math.floor(events / groupSize) * groupSize;
  const arrivals: NexmarkEvent[] = [];
  /** Events that come late, by the arrival at which they do. */
  const delayed = new Map<number, NexmarkEvent[]>();
  for (let i = 0; i < events; i++) {
    const n = i < whole ? shuffled(i, groupSize) : i;
    if (!options.kinds.includes(kindOf(n))) continue;
    const event = generator.make(n);
    const late = lateOneIn > 0 && event.kind === "bid" && Math.floor(chance() * lateOneIn) === 0;
    if (late) {
      const at = i + LATE_SECONDS * options.perSecond;
      delayed.set(at, [...(delayed.get(at) ?? []), event]);
    } else arrivals.push(event);
    arrivals.push(...(delayed.get(i) ?? []));
    delayed.delete(i);
  }
  for (const late of delayed.values()) arrivals.push(...late);
  return arrivals;
}
