/** Seeded bids in the manner of Nexmark: hot auctions half of the time, channels and URLs as text, about 175 bytes a line. */

export const WINDOW_MS = 10_000;
export const MIN_PRICE = 500;

/** 32-bit xorshift (Marsaglia 2003), as a function from nothing to [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const CHANNELS = ["Google", "Facebook", "Baidu", "Apple"];

function word(random: () => number, length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += LETTERS[Math.floor(random() * LETTERS.length)];
  return text;
}

/** NDJSON of `count` bids, times rising by 0 to 2 ms. */
export function makeBids(count: number, seed = 7): Uint8Array {
  const random = seeded(seed);
  const lines: string[] = [];
  let time = 1_700_000_000_000;
  for (let i = 0; i < count; i++) {
    time += Math.floor(random() * 3);
    const hot = random() < 0.5;
    const auction = hot ? 1000 + 10 * Math.floor(i / 2000) : 1000 + Math.floor(random() * 4000);
    const channel = CHANNELS[Math.floor(random() * 8)] ?? `channel-${Math.floor(random() * 10_000)}`;
    const bid = {
      auction,
      bidder: 1000 + Math.floor(random() * 20_000),
      price: 100 + Math.floor(10 ** (random() * 6)),
      channel,
      url: `https://www.nexmark.com/${word(random, 5)}/item.htm?query=1`,
      dateTime: time,
      extra: word(random, 8 + Math.floor(random() * 20)),
    };
    lines.push(JSON.stringify(bid));
  }
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}
