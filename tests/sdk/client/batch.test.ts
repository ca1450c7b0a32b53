/** Batches, streams and views of a client. */

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createClient } from "../../../sdk/client/index.ts";
import type { BatchResult } from "../../../sdk/client/index.ts";
import { contract, count, flow, fn, int64, stream, text, timestamp, tumbling } from "../../../sdk/index.ts";
import { chunked, ok, problem, server } from "./server.ts";
import type { Reply, Server } from "./server.ts";

const Account = contract("account", { deposit: fn({ input: z.number(), output: z.number() }) });
const lines = [1, 2, 3].map((input) => ({ service: "account", key: "a/b", function: "deposit", input }) as const);
const line = (number: number): string => `{"line":${number},"status":200,"result":${number}}\n`;
const lost = new TypeError("connection reset");

function started(...replies: Reply[]): { fake: Server; results: AsyncGenerator<BatchResult, void, void> } {
  const fake = server(...replies);
  const client = createClient("https://x", { Account }, { fetch: fake.fetch, retries: 1 });
  return { fake, results: client.batch(lines) };
}
async function all(results: AsyncIterable<BatchResult>): Promise<number[]> {
  const numbers: number[] = [];
  for await (const result of results) numbers.push(result.line);
  return numbers;
}

describe("a batch", () => {
  test("that is answered in the words of something on the way goes again, and has no answer in the end", async () => {
    const page = (): Response => new Response("<html>\nlog in first\n</html>\n");
    const again = started(page, chunked(line(1), line(2), line(3)));
    expect(await all(again.results)).toEqual([1, 2, 3]);
    const { fake, results } = started(page, page);
    const idempotencyKey = () => fake.sent[0]?.headers.get("idempotency-key")?.slice(1, -1);
    const error: unknown = await all(results).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "UnreachableError", idempotencyKey: idempotencyKey() });
    expect(fake.sent).toHaveLength(2);
  });

  test("sends one line per call and yields results as they come, however they are cut", async () => {
    const second = '{"line":1,"status":409,"problem":{"type":"/problems/account/frozen","title":"é","status":409}}\n';
    const { fake, results } = started(
      chunked(line(3) + second.slice(0, 70), second.slice(70) + line(2).slice(0, 5), line(2).slice(5)),
    );
    const seen = [];
    for await (const result of results) seen.push(result);
    expect(seen).toEqual([
      { line: 3, status: 200, result: 3 },
      { line: 1, status: 409, problem: { type: "/problems/account/frozen", title: "é", status: 409 } },
      { line: 2, status: 200, result: 2 },
    ]);
    expect(fake.sent[0]?.body.split("\n").map((each) => JSON.parse(each) as unknown)).toEqual(lines);
    expect(fake.sent[0]).toMatchObject({ method: "POST", url: "https://x/v1/batch" });
    expect(fake.sent[0]?.headers.get("content-type")).toBe("application/x-ndjson");
  });

  test("puts characters together that were cut in the middle", async () => {
    const bytes = new TextEncoder().encode('{"line":1,"status":200,"result":"é😀"}\n');
    const { results } = started(chunked(...Array.from(bytes, (byte) => Uint8Array.of(byte)), line(2) + line(3)));
    expect((await results.next()).value).toEqual({ line: 1, status: 200, result: "é😀" });
  });

  test("goes again under its identity when the answer breaks off, and yields no line twice", async () => {
    const { fake, results } = started(
      chunked(line(2), lost),
      chunked(line(1) + line(2), lost),
      chunked(line(2) + line(1) + line(3)),
    );
    expect(await all(results)).toEqual([2, 1, 3]);
    const identities = new Set(fake.sent.map(({ headers }) => headers.get("idempotency-key")));
    expect([fake.sent.length, identities.size]).toEqual([3, 1]);
  });

  test("goes again without the lines that have a result: what was told that it did not run does not run later", async () => {
    const busy = '{"line":1,"status":503,"problem":{"type":"/problems/overloaded","title":"busy","status":503}}\n';
    const { fake, results } = started(chunked(busy, lost), chunked(line(2), lost), chunked(line(3)));
    expect(await all(results)).toEqual([1, 2, 3]);
    const texts = lines.map((each) => JSON.stringify(each));
    // In their places, since a line is known by its number.
    expect(fake.sent.map(({ body }) => body.split("\n"))).toEqual([texts, ["", ...texts.slice(1)], ["", "", texts[2]]]);
  });

  test("takes no results of lines that it has not sent", async () => {
    const { fake, results } = started(chunked(line(0) + line(9) + line(1), lost), chunked(line(2) + line(3)));
    expect(await all(results)).toEqual([1, 2, 3]);
    expect(fake.sent[1]?.body.split("\n")).toHaveLength(3);
  });

  test("goes again when the answer ends before the last line, even in the middle of one", async () => {
    const { results } = started(chunked(line(1) + line(2).slice(0, 9)), chunked(line(1) + line(2) + line(3)));
    expect(await all(results)).toEqual([1, 2, 3]);
  });

  test("gives up after attempts without progress", async () => {
    const { fake, results } = started(chunked(line(1), lost), chunked(line(1), lost), chunked(line(1), lost));
    await expect(all(results)).rejects.toMatchObject({ name: "UnreachableError", cause: lost });
    expect(fake.sent).toHaveLength(3);
  });

  test.each([503, 401])(
    "leaves open what became of an answer that broke off, whatever keeps the rest out: %d",
    async (status) => {
      const out = () => problem(status, "kept-out");
      const { results } = started(chunked(line(1), lost), out, out, out, out, out);
      await expect(all(results)).rejects.toMatchObject({ name: "UnreachableError", cause: { status } });
    },
  );

  test.each([
    ["an answer that broke off", chunked(line(1), lost)],
    ["a request that was lost", lost],
  ])(
    "passes on that nothing was done for a line only where no earlier request may have run it: %s",
    async (_, first) => {
      const busy = '{"line":2,"status":503,"problem":{"type":"/problems/overloaded","title":"busy","status":503}}\n';
      const answer = () => chunked(line(1) + busy + line(3));
      const statuses = async (...replies: Reply[]): Promise<unknown[]> => {
        const told = [];
        for await (const result of started(...replies).results) told.push([result.line, result.status]);
        return told;
      };
      expect(await statuses(answer())).toEqual([
        [1, 200],
        [2, 503],
        [3, 200],
      ]);
      // It does not go again: line 3 may be of the same key.
      expect(await statuses(first, answer())).toEqual([
        [1, 200],
        [2, 504],
        [3, 200],
      ]);
    },
  );

  test("passes on at once what a line is refused for", async () => {
    const refused = '{"line":2,"status":403,"problem":{"type":"/problems/forbidden","title":"no","status":403}}\n';
    const { fake, results } = started(chunked(line(1), lost), chunked(line(1) + refused + line(3)));
    expect(await all(results)).toEqual([1, 2, 3]);
    expect(fake.sent).toHaveLength(2);
  });

  test("throws a problem with the whole batch", async () => {
    const { results } = started(problem(413, "batch-too-large"));
    await expect(all(results)).rejects.toMatchObject({ type: "batch-too-large" });
  });

  test("sends nothing for no lines, and asks for order where it is wanted", async () => {
    const fake = server(chunked(line(1) + line(2) + line(3)));
    const client = createClient("https://x", { Account }, { fetch: fake.fetch });
    expect(await all(client.batch([]))).toEqual([]);
    expect(await all(client.batch(lines, { ordered: true, idempotencyKey: "k" }))).toEqual([1, 2, 3]);
    expect(fake.sent[0]?.url).toBe("https://x/v1/batch?ordered=1");
    expect(fake.sent[0]?.headers.get("idempotency-key")).toBe('"k"');
  });

  test("cancels the answer when the caller leaves early", async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(line(1))),
      cancel: () => void (cancelled = true),
    });
    for await (const result of started(() => new Response(body)).results) {
      expect(result.line).toBe(1);
      break;
    }
    expect(cancelled).toBe(true);
  });

  test("ends by the caller's signal in the middle of the answer", async () => {
    const controller = new AbortController();
    const fake = server((_, signal) => {
      const body = new ReadableStream<Uint8Array>({
        start(stream) {
          stream.enqueue(new TextEncoder().encode(line(1)));
          signal.addEventListener("abort", () => stream.error(signal.reason));
        },
      });
      return new Response(body);
    });
    const results = createClient("https://x", { Account }, { fetch: fake.fetch }).batch(lines, {
      signal: controller.signal,
    });
    expect((await results.next()).value).toMatchObject({ line: 1 });
    const rest = expect(results.next()).rejects.toThrow("enough");
    controller.abort(new Error("enough"));
    await rest;
  });

  test("gives up an answer that falls silent, and goes on with the next", async () => {
    const silent: Reply = (_, signal) => {
      const body = new ReadableStream<Uint8Array>({
        start(stream) {
          stream.enqueue(new TextEncoder().encode(line(1)));
          signal.addEventListener("abort", () => stream.error(signal.reason));
        },
      });
      return new Response(body);
    };
    const fake = server(silent, chunked(line(1) + line(2) + line(3)));
    const client = createClient("https://x", { Account }, { fetch: fake.fetch, timeoutMs: 30 });
    expect(await all(client.batch(lines))).toEqual([1, 2, 3]);
  });
});

const Sales = stream("sales", { item: text(), amount: int64(), at: timestamp() });
const perMinute = flow("f")
  .from(Sales, { time: "at" })
  .keyBy("item")
  .window(tumbling("1m"))
  .aggregate({ n: count() })
  .toView("per-minute");

describe("a stream", () => {
  test("takes events as NDJSON with exact whole numbers, by definition or by name", async () => {
    const accepted = { accepted: 2, late: { f: 0 } };
    const { sent, fetch } = server(ok(accepted), ok(accepted));
    const client = createClient("https://x", {}, { fetch });
    const events = [
      { item: 'a "pen"', amount: 2n ** 63n - 1n, at: 0 },
      { item: "x", amount: -1, at: 60_000 },
    ];
    expect(await client.stream(Sales).send(events)).toEqual(accepted);
    await client.stream("sales").send(events, { idempotencyKey: "b1" });
    const body = '{"item":"a \\"pen\\"","amount":9223372036854775807,"at":0}\n{"item":"x","amount":-1,"at":60000}';
    expect(sent.map((each) => [each.url, each.body])).toEqual([
      ["https://x/v1/streams/sales", body],
      ["https://x/v1/streams/sales", body],
    ]);
    expect(sent[1]?.headers.get("idempotency-key")).toBe('"b1"');
  });
});

describe("a view", () => {
  test("gives rows of all keys or one, with whole numbers exact", async () => {
    const page =
      '{"rows":[{"key":"pen","window":{"start":0,"end":60000},"n":9007199254740993,"f":1.5,"final":true}],"watermark":5}';
    const { sent, fetch } = server(() => new Response(page), new Response(page), ok({ rows: [], watermark: null }));
    const client = createClient("https://x", {}, { fetch });
    const { rows, watermark } = await client.view(perMinute).get();
    expect(rows).toEqual([
      { key: "pen", window: { start: 0, end: 60_000 }, n: 9007199254740993n, f: 1.5, final: true },
    ]);
    expect(watermark).toBe(5);
    await client.view("per-minute").get("a/b", { limit: 10, cursor: "c=", top: "n" });
    await client.view("per-minute").get(-5n);
    expect(sent.map(({ url }) => url)).toEqual([
      "https://x/v1/views/per-minute",
      "https://x/v1/views/per-minute/~YS9i?limit=10&cursor=c%3D&top=n",
      "https://x/v1/views/per-minute/-5",
    ]);
  });
});
