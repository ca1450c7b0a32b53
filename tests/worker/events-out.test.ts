/** Events out of a stream, over a fake back end: when a connection ends, and how. */
import { expect, test } from "vitest";
import { createClient } from "../../sdk/client/index.ts";
import { defineApp } from "../../sdk/app.ts";
import { flow } from "../../sdk/flow.ts";
import { int64, stream, timestamp } from "../../sdk/stream.ts";
import { LIMITS } from "../../worker/limits.ts";
import { FakeBackend, TOKEN } from "./support/backend.ts";
import { edge } from "./support/edge.ts";

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
  override answer = ({ input }: { readonly input: string }) => {
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
