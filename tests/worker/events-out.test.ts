/** Events out of a stream, over a fake back end: when a connection ends, and how. */
import { expect, test } from "vitest";
import { createClient } from "../../sdk/client/index.ts";
import { defineApp } from "../../sdk/app.ts";
import { flow } from "../../sdk/flow.ts";
import { int64, stream, timestamp } from "../../sdk/stream.ts";
import { INVOKE_FLAG } from "../../protocol/wire/invoke.ts";
import { LIMITS } from "../../worker/limits.ts";
import { type Executed, FakeBackend, TOKEN } from "./support/backend.ts";
import { edge, problemIn } from "./support/edge.ts";

const Kept = stream("kept", { n: int64(), at: timestamp() }, { retention: "1h" });
const Passed = stream("passed", { n: int64(), at: timestamp() });
const app = defineApp({
  services: [],
  flows: [
    flow("pass")
      .from(Kept, { time: "at" })
      .filter((event) => event.n.gt(0n))
      .toStream(Passed),
  ],
});
const EVENTS = 25;
const PAGE = 5;

/** A back end with some events, whose clock the test moves. */
class Clocked extends FakeBackend {
  moved = 0;
  override now(): number {
    return super.now() + this.moved;
  }
  override answer = ({ input }: Pick<Executed, "input" | "flags">) => {
    const { after } = JSON.parse(input) as { readonly after: number | null };
    const first = (after ?? EVENTS - 1) + 1;
    const events = Array.from(
      { length: Math.max(0, Math.min(PAGE, EVENTS - first)) },
      (_, at) => `{"n":${first + at}}`,
    );
    return { status: 200, body: JSON.stringify({ first, events, end: EVENTS }) };
  };
}

test("a reader that wants what is there gets all of it, however slow it is", async () => {
  const backend = new Clocked();
  const { routes } = edge(backend, app);
  const fetch = (url: string, init: RequestInit) => Promise.resolve(routes.fetch(new Request(url, init)));
  const client = createClient("http://x", {}, { token: TOKEN, fetch });
  const found: unknown[] = [];
  for await (const { event } of client.stream("kept").read({ after: "-1", follow: false })) {
    found.push(event["n"]);
    // It takes its time over each.
    backend.moved += LIMITS.followMs / 10;
  }
  expect(found).toEqual(Array.from({ length: EVENTS }, (_, n) => n));
});

const JSON_PAGE = { accept: "application/json" };
const SSE = { accept: "text/event-stream" };

test.each([
  ["server-sent events", SSE],
  ["a page of JSON", JSON_PAGE],
])("a reader that is beyond the end is told so, and not left to miss what comes: %s", async (_, headers) => {
  const { ask } = edge(new Clocked(), app);
  for (const after of [EVENTS, EVENTS + 100]) {
    const response = await ask(`/v1/streams/kept?follow=0&after=${after}`, { headers });
    const problem = await problemIn(response);
    expect(problem).toMatchObject({ status: 400, type: "/problems/invalid-parameter", end: EVENTS });
    expect(problem.detail).toContain(`there is no event ${after}: the last one is ${EVENTS - 1};`);
  }
  const response = await ask(`/v1/streams/kept?follow=0&after=${EVENTS - 1}`, { headers });
  expect(response.status).toBe(200);
  await response.text();
});

test.each([
  ["server-sent events", "", SSE, `id: ${EVENTS - 1}\n`],
  ["a page of JSON", "&consistency=snapshot", JSON_PAGE, `"id":${EVENTS - 1},`],
])("a reader that is ahead of a snapshot goes on: %s", async (_, search, headers, shown) => {
  const backend = new Clocked();
  const fresh = backend.answer;
  // What is a second old lacks the last three.
  backend.answer = (row) =>
    (row.flags & INVOKE_FLAG.snapshot) === 0
      ? fresh(row)
      : { status: 200, body: JSON.stringify({ first: EVENTS - 3, events: [], end: EVENTS - 3 }) };
  const { ask } = edge(backend, app);
  const response = await ask(`/v1/streams/kept?follow=0&after=${EVENTS - 2}${search}`, { headers });
  expect(response.status).toBe(200);
  expect(await response.text()).toContain(shown);
});

test("a reader that follows hears at once that it is connected, though there is no event yet", async () => {
  const { ask } = edge(new Clocked(), app);
  const response = await ask(`/v1/streams/kept?after=${EVENTS - 1}`, { headers: SSE });
  const body = response.body as ReadableStream<Uint8Array>;
  const reader = body.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe(":\n\n");
  await reader.cancel();
});
