/** Bids over HTTP, a server that dies again and again: money and views agree with the events to the cent. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../../cli/ports.ts";
import { bundle } from "../../scripts/lib/bundle.ts";
import { createRandom } from "../../sim/random.ts";
import { ServerProcess, storeBundle, TOKEN } from "./support/process-group.ts";

const KILLS = 6;
const ROUNDS = 40;
const AUCTIONS_PER_ROUND = 3;
const PEOPLE = ["ann", "bob", "cid", "dee", "eve", "fay"];
const DEPOSIT = 1_000_000;
const config = join(dirname(fileURLToPath(import.meta.url)), "../../examples/auction/wrangler.jsonc");

let folder: string;
let server: ServerProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-auction-"));
});
afterEach(async () => {
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Bid {
  readonly auction: string;
  readonly bidder: string;
  readonly amount: number;
  readonly at: number;
}

/** What must come of the batches in their order, by the rules of the example: nothing of the engine is in it. */
class House {
  readonly free = new Map(PEOPLE.map((name) => [name, DEPOSIT]));
  readonly earned = new Map(PEOPLE.map((name) => [name, 0]));
  readonly auctions = new Map<
    string,
    { seller: string; ends: number; reserve: number; leader: string | null; price: number; settled: boolean }
  >();
  readonly sold = new Map<string, { sold: number; revenue: number }>();

  open(auction: string, seller: string, reserve: number, ends: number): void {
    this.auctions.set(auction, { seller, reserve, ends, leader: null, price: 0, settled: false });
  }

  bid({ auction, bidder, amount }: Bid): void {
    const found = this.auctions.get(auction);
    if (found === undefined || found.settled || found.seller === bidder) return;
    if (amount < (found.leader === null ? found.reserve : found.price + 1)) return;
    if ((this.free.get(bidder) ?? 0) < amount) return;
    this.#move(this.free, bidder, -amount);
    if (found.leader !== null) this.#move(this.free, found.leader, found.price);
    Object.assign(found, { leader: bidder, price: amount });
  }

  settle(watermark: number): void {
    for (const found of this.auctions.values()) {
      if (found.settled || found.ends > watermark) continue;
      found.settled = true;
      if (found.leader === null) continue;
      this.#move(this.free, found.seller, found.price);
      this.#move(this.earned, found.seller, found.price);
      const { sold, revenue } = this.sold.get(found.seller) ?? { sold: 0, revenue: 0 };
      this.sold.set(found.seller, { sold: sold + 1, revenue: revenue + found.price });
    }
  }

  #move(of: Map<string, number>, name: string, amount: number): void {
    of.set(name, (of.get(name) ?? 0) + amount);
  }
}

test(`${KILLS} kills: money and views agree with the bids to the cent`, async () => {
  const seed = Number(process.env["TIDEGATE_SEED"] ?? Date.now() % 1_000_000);
  console.log(`seed ${seed} (repeat its choices with TIDEGATE_SEED=${seed})`);
  const random = createRandom(seed);
  const place = { bundlePath: join(folder, "bundle.json"), persist: join(folder, "data"), port: await freePort() };
  const url = `http://127.0.0.1:${place.port}`;
  await storeBundle(await bundle(config), place.bundlePath);
  server = await ServerProcess.start(place);

  let repeats = 0;
  const send = async (path: string, body?: string, type = "application/json", key = ""): Promise<unknown> => {
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      "content-type": type,
      ...(key === "" ? {} : { "idempotency-key": `"${key}"` }),
    };
    for (;;) {
      const response = await fetch(url + path, {
        ...(body === undefined ? {} : { method: "POST", body }),
        headers,
      }).catch(() => null);
      const text = await response?.text().catch(() => null);
      if (response?.status === 200 && typeof text === "string") return JSON.parse(text);
      if (response !== null && typeof text === "string" && response.status < 500)
        throw new Error(`${path}: ${response.status} ${String(text)}`);
      repeats += 1;
      await sleep(50);
    }
  };
  const ingest = (stream: string, events: readonly object[], key: string): Promise<unknown> =>
    send(`/v1/streams/${stream}`, events.map((event) => JSON.stringify(event)).join("\n"), "application/x-ndjson", key);

  for (const name of PEOPLE)
    await send(
      `/v1/services/wallet/${name}/deposit`,
      JSON.stringify({ amount: DEPOSIT }),
      "application/json",
      `d-${name}`,
    );
  const house = new House();
  let working = true;
  let kills = 0;
  const killer = (async () => {
    while (working && kills < KILLS) {
      await sleep(150 + random.int(600));
      await server?.kill();
      kills += 1;
      server = await ServerProcess.start(place);
    }
  })();

  let opened = -Infinity;
  let bid = -Infinity;
  const begin = 1_800_000_000_000;
  for (let round = 0; round < ROUNDS || kills < KILLS; round++) {
    const at = begin + round * 1_000;
    const openings = Array.from({ length: AUCTIONS_PER_ROUND }, (_, n) => ({
      auction: `a${round}-${n}`,
      seller: random.pick(PEOPLE),
      reserve: 1 + random.int(500),
      ends: at + 1_000 + random.int(6_000),
      at: at + n,
    }));
    await ingest("openings", openings, `o-${round}`);
    for (const { auction, seller, reserve, ends } of openings) house.open(auction, seller, reserve, ends);
    opened = Math.max(opened, ...openings.map((event) => event.at - 1_000));
    house.settle(Math.min(opened, bid));
    const known = [...house.auctions.keys()].slice(-5 * AUCTIONS_PER_ROUND);
    // Several bids of one batch may compete for one wallet, and for one auction: they are made in their order.
    const bids: Bid[] = Array.from({ length: 1 + random.int(8) }, () => ({
      auction: random.pick(known),
      bidder: random.pick(PEOPLE),
      amount: 1 + random.int(2_000),
      at: at + random.int(1_500),
    }));
    await ingest("bids", bids, `b-${round}`);
    for (const one of bids) house.bid(one);
    bid = Math.max(bid, ...bids.map((one) => one.at - 1_000));
    house.settle(Math.min(opened, bid));
  }
  working = false;
  await killer;
  // A last event of each source far ahead: everything has ended.
  const end = begin + 10_000_000;
  await ingest("openings", [{ auction: "end", seller: "ann", reserve: 1, ends: end + 1_000_000, at: end }], "o-end");
  await ingest("bids", [{ auction: "none", bidder: "ann", amount: 1, at: end }], "b-end");
  house.settle(end - 1_000);

  let total = 0;
  for (const name of PEOPLE) {
    const balance = (await send(`/v1/services/wallet/${name}/balance`)) as {
      free: number;
      held: number;
      earned: number;
    };
    expect([name, balance]).toEqual([name, { free: house.free.get(name), held: 0, earned: house.earned.get(name) }]);
    total += balance.free;
  }
  expect(total).toBe(DEPOSIT * PEOPLE.length);
  const sellers = [...house.sold].sort(([a], [b]) => (a < b ? -1 : 1)).map(([seller, sold]) => ({ seller, ...sold }));
  await expect
    .poll(
      async () =>
        ((await send("/v1/views/turnover")) as { rows: Array<Record<string, unknown>> }).rows.map(
          ({ seller, sold, revenue }) => ({ seller, sold, revenue }),
        ),
      {
        timeout: 20_000,
      },
    )
    .toEqual(sellers);
  console.log(
    `${kills} kills, ${repeats} requests sent again, ${house.auctions.size} auctions, ${sellers.reduce((sum, { sold }) => sum + sold, 0)} sold`,
  );
  expect(kills).toBe(KILLS);
});
