/** A flow whose timers set each other without end, as the outside sees it: its batch fails whole with an error of its own type, and nothing else does. */
import { contract, count, flow, fn, int64, service, sinks, stream, text, timestamp } from "tidegate";
import { expect, test } from "vitest";
import * as z from "zod";
import { testApp } from "../../testing/index.ts";

const Pings = stream("pings", { id: text(), at: timestamp() });
const Pinger = contract("pinger", { ping: fn({ input: z.object({ id: z.string(), at: z.int() }) }) });
const pinger = service(Pinger, {}, { ping: (ctx, { id, at }) => ctx.emit(Pings, { id, at }) });

const pings = flow("pings-flow").from(Pings, { time: "at" });
const fired = pings.keyBy("id").process({
  fields: { id: text(), at: timestamp(), n: int64() },
  onEvent: (ctx, event) => ctx.timer(Number(event.at)),
  onTimer(ctx, at) {
    if (ctx.key === "loop") ctx.timer(at);
    ctx.emit({ id: String(ctx.key), at, n: 1 });
  },
});
const pingFlow = sinks(
  fired.toView("fired", { key: ["id", "at"] }),
  pings.keyBy("id").aggregate({ pings: count() }).toView("pinged"),
);

const bodyOf = (...events: ReadonlyArray<readonly [id: string, at: number]>) =>
  events.map(([id, at]) => JSON.stringify({ id, at })).join("\n");

test("the batch is refused with `too-many-timers`, again and again, and leaves nothing", async () => {
  const app = testApp({ services: [pinger], flows: [pingFlow] });
  const post = (sequence: number, body: string) =>
    app.fetch("/v1/streams/pings", {
      method: "POST",
      body,
      headers: {
        "content-type": "application/x-ndjson",
        "tidegate-producer": "till",
        "tidegate-sequence": String(sequence),
      },
    });
  const rowsOf = async (view: string) =>
    ((await (await app.fetch(`/v1/views/${view}`)).json()) as { rows: unknown[] }).rows;
  expect((await post(1, bodyOf(["a", 10]))).status).toBe(200);
  for (let tries = 0; tries < 2; tries++) {
    const refused = await post(2, bodyOf(["a", 20], ["loop", 20], ["b", 30]));
    expect(refused.status).toBe(500);
    expect(await refused.json()).toMatchObject({ type: "/problems/too-many-timers" });
    expect(await rowsOf("fired")).toHaveLength(1);
    expect(await rowsOf("pinged")).toEqual([{ id: "a", pings: 1 }]);
  }
  await app.crash("everything");
  // The producer's batch of this number was not taken: another one may have it.
  expect((await post(2, bodyOf(["a", 20], ["b", 30]))).status).toBe(200);
  expect(await rowsOf("fired")).toHaveLength(3);
});

test("an event of a function becomes a dead letter, and later ones are taken", async () => {
  const app = testApp({ services: [pinger], flows: [pingFlow] });
  const client = app.client({ Pinger });
  await client.pinger("x").ping({ id: "loop", at: 20 });
  await app.advance("1h");
  expect(await (await app.fetch("/v1/dead-letters/%23stream")).text()).toContain("too-many-timers");
  await client.pinger("x").ping({ id: "a", at: 30 });
  await app.drained();
  const { rows } = (await (await app.fetch("/v1/views/fired")).json()) as { rows: unknown[] };
  expect(rows).toMatchObject([{ id: "a" }]);
});
