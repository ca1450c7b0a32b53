/** Events out, epochs, delayed messages: what the client sends, and how it goes on when connections break. */
import { describe, expect, test } from "vitest";
import { createClient, ProblemError, UnreachableError } from "../../../sdk/client/index.ts";
import { contract, fn, query } from "../../../sdk/index.ts";
import { chunked, ok, problem, type Reply, server } from "./server.ts";

const Account = contract("account", { open: fn({}), balance: query({}) });
const FAST = { retries: 2, timeoutMs: 200 };

function clientOf(...replies: Reply[]) {
  const script = server(...replies);
  return { client: createClient("http://x", { Account }, { ...FAST, fetch: script.fetch }), sent: script.sent };
}
const events = (...chunks: string[]): Response => chunked(...chunks);
const breaking = (...chunks: string[]): Response => chunked(...chunks, new Error("cut"));
/** Says nothing until it is given up. */
const silent = (_sent: unknown, signal: AbortSignal): Response =>
  new Response(
    new ReadableStream<Uint8Array>({
      start: (controller) => signal.addEventListener("abort", () => controller.error(signal.reason)),
    }),
  );
async function all<T>(source: AsyncIterable<T>, most = Infinity): Promise<T[]> {
  const found: T[] = [];
  for await (const one of source) if (found.push(one) >= most) break;
  return found;
}

describe("reading a stream", () => {
  test("yields events with their ids, wherever chunks are cut, and exact numbers", async () => {
    const { client, sent } = clientOf(() =>
      events("id: 4\nda", 'ta: {"n":1}\n\n:\n\nid: 5\r\ndata: {"n":9007199254740993}\r\n', "\r\n"),
    );
    const found = await all(client.stream("s").read({ after: "3", follow: false }));
    expect(found).toEqual([
      { id: "4", event: { n: 1 } },
      { id: "5", event: { n: 9007199254740993n } },
    ]);
    expect(sent.map(({ url }) => url)).toEqual(["http://x/v1/streams/s?after=3&follow=0"]);
  });

  test("yields events whose texts have the line ends of JavaScript", async () => {
    const body = "a\u2028b\u2029c";
    const { client } = clientOf(() => events(`id: 1\ndata: ${JSON.stringify({ body })}\n\n`));
    expect(await all(client.stream("s").read({ follow: false }))).toEqual([{ id: "1", event: { body } }]);
  });

  test("goes on behind the last event when the connection breaks or ends, and yields none twice", async () => {
    const { client, sent } = clientOf(
      () => breaking("id: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\nda"),
      () => events("id: 3\ndata: 3\n\n"),
      () => events("id: 4\ndata: 4\n\n"),
    );
    expect((await all(client.stream("s").read(), 4)).map(({ event }) => event)).toEqual([1, 2, 3, 4]);
    expect(sent.map(({ url }) => url.slice(21))).toEqual(["", "?after=2", "?after=3"]);
  });

  test("remembers where it is from an id without an event", async () => {
    const { client, sent } = clientOf(
      () => breaking("id: 7\n\n"),
      () => events("id: 8\ndata: 8\n\n"),
    );
    expect(await all(client.stream("s").read(), 1)).toEqual([{ id: "8", event: 8 }]);
    expect(sent[1]?.url).toContain("after=7");
  });

  test("gives up when connections break and nothing comes", async () => {
    const { client, sent } = clientOf(...Array.from({ length: 3 }, () => () => breaking()));
    await expect(all(client.stream("s").read())).rejects.toBeInstanceOf(UnreachableError);
    expect(sent).toHaveLength(3);
  });

  test("goes on for as long as anything comes, though each silence is longer than it waits", async () => {
    const quiet = (_sent: unknown, signal: AbortSignal): Response =>
      new Response(
        new ReadableStream<Uint8Array>({
          start(controller) {
            controller.enqueue(new TextEncoder().encode(":\n\n"));
            signal.addEventListener("abort", () => controller.error(signal.reason));
          },
        }),
      );
    const { client, sent } = clientOf(quiet, quiet, quiet, quiet, () => events("id: 8\ndata: 8\n\n"));
    expect(await all(client.stream("s").read({ after: "7" }), 1)).toEqual([{ id: "8", event: 8 }]);
    expect(sent).toHaveLength(5);
  });

  test("takes silence for a lost connection", async () => {
    const { client } = clientOf(silent, () => events("id: 1\ndata: 1\n\n"));
    expect(await all(client.stream("s").read(), 1)).toHaveLength(1);
  });

  test("throws a problem, and stops for the caller's signal", async () => {
    const { client } = clientOf(problem(404, "unknown-stream"));
    await expect(all(client.stream("s").read())).rejects.toBeInstanceOf(ProblemError);
    const stop = new AbortController();
    const waiting = clientOf(silent);
    setTimeout(() => stop.abort(new Error("enough")), 20);
    await expect(all(waiting.client.stream("s").read({ signal: stop.signal }))).rejects.toThrow("enough");
  });
});

test("an owner's client says which tenant it is about", async () => {
  const script = server(ok(1), ok(1), ok(1));
  const options = { ...FAST, fetch: script.fetch };
  // Headers have no encoding that all agree on.
  for (const tenant of ["acme", "Zürich"])
    await createClient("http://x", { Account }, { ...options, tenant })
      .account("a")
      .open();
  await createClient("http://x", { Account }, options).account("a").open();
  expect(script.sent.map(({ headers }) => headers.get("tidegate-tenant"))).toEqual(["acme", "Z%C3%BCrich", null]);
});

describe("epochs", () => {
  const told = (epoch: string): Response => Response.json(1, { headers: { "tidegate-epoch": epoch } });

  test("a snapshot is asked for that is not older than the newest that an answer named", async () => {
    const { client, sent } = clientOf(told("1.9"), told("1.10"), told("1.2"), told("2.1"), told("1.99"), told("2.1"));
    const account = client.account("a");
    const snapshot = { consistency: "snapshot" } as const;
    await account.balance(undefined, snapshot);
    await account.open();
    await account.balance();
    await account.balance(undefined, snapshot);
    await account.balance(undefined, snapshot);
    await account.balance(undefined, snapshot);
    const asked = sent.map(({ headers }) => headers.get("tidegate-epoch"));
    expect(asked).toEqual([null, null, null, "1.10", "2.1", "2.1"]);
  });

  test("a refusal counts, since it showed something", async () => {
    const refusal = new Response('{"type":"/problems/account/no","title":"no","status":409}', {
      status: 409,
      headers: { "tidegate-epoch": "1.5" },
    });
    const { client, sent } = clientOf(refusal, told("1.5"));
    await client
      .account("a")
      .open()
      .catch(() => undefined);
    await client.account("a").balance(undefined, { consistency: "snapshot" });
    expect(sent[1]?.headers.get("tidegate-epoch")).toBe("1.5");
  });
});

describe("delayed messages", () => {
  test("say when", async () => {
    const { client, sent } = clientOf(ok({ id: "m1" }), ok({ id: "m2" }), ok({ id: "m3" }));
    await client.account("a").open.send(undefined, { delay: "30s" });
    await client.account("a").open.send(undefined, { at: new Date(5) });
    await client.account("a").open.send();
    expect(sent.map(({ url }) => url.slice(url.indexOf("/send")))).toEqual(["/send?delay=30s", "/send?at=5", "/send"]);
  });

  test("are cancelled, or it is too late for that", async () => {
    const { client, sent } = clientOf(ok({}), problem(409, "message-gone"), problem(404, "not-found"));
    expect(await client.cancel("m/1")).toBe(true);
    expect(await client.cancel("m2")).toBe(false);
    await expect(client.cancel("m3")).rejects.toBeInstanceOf(ProblemError);
    expect(sent[0]).toMatchObject({ method: "DELETE", url: "http://x/v1/messages/m%2F1" });
    expect(sent[0]?.headers.get("idempotency-key")).toMatch(/^"/);
  });
});
