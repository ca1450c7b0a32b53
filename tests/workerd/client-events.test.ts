/** Events out through the client: by requests to the Worker and by a service binding, across crashes. */
import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Binding, type Client, createClient, ProblemError, RefusalError } from "../../sdk/client/index.ts";
import { testWorker } from "../../testing/worker.ts";
import { Counter, Emitter, meterEnds, Noted, Readings } from "../app/src/operators.ts";
import { freshKey } from "./support/app.ts";

const domain = testWorker();
const contracts = { Counter, Emitter };
const bound = createClient((exports as unknown as { Services: Binding }).Services, contracts);

describe.each<[string, Client<typeof contracts>]>([
  ["by requests", domain.client(contracts)],
  ["by a binding", bound],
])("the client, %s,", (_how, client) => {
  async function read(after: string): Promise<Array<{ readonly id: string; readonly at: number | bigint }>> {
    const found: Array<{ readonly id: string; readonly at: number | bigint }> = [];
    for await (const { id, event } of client.stream(Noted).read({ after, follow: false }))
      found.push({ id, at: event.at });
    return found;
  }

  test("reads each committed event once, from where it was, though all objects crash", async () => {
    const who = freshKey();
    const before = (await read("-1")).at(-1)?.id ?? "-1";
    for (const at of [1, 2]) await client.emitter(who).note({ at });
    await expect(client.emitter(who).note({ at: 3, fail: true })).rejects.toThrow();
    // What a function emits is a message to the stream.
    await domain.drained();
    const first = await read(before);
    expect(first.map(({ at }) => at)).toEqual([1, 2]);
    await domain.crash("everything");
    await client.emitter(who).note({ at: 4 });
    await domain.drained();
    const more = await read(first.at(-1)?.id ?? "");
    expect(more.map(({ at }) => at)).toEqual([4]);
  });

  test("sees to what an end of a flow did not take", async () => {
    const meter = freshKey();
    const letters = client.deadLetters(meterEnds);
    const known = (await letters.list()).at(-1)?.id ?? -1;
    const value = 2n ** 53n + 1n;
    await client.stream(Readings).send([
      { meter, value: 800, at: 1 },
      { meter, value, at: 1 },
      { meter, value: 300, at: 1 },
      { meter, value: 250, at: 1 },
    ]);
    const listed = await letters.list({ after: known, limit: 3 });
    expect(listed.map(({ event }) => [event.sink, event.key, event.refusal?.name, event.event["value"]])).toEqual(
      [value, 300, 250].map((each) => ["meter-counter.add", meter, "full", each]),
    );
    const [large, first, second] = listed.map(({ id }) => id) as [number, number, number];
    await expect(letters.redrive(first)).rejects.toThrow(RefusalError);
    await client.meterCounter(meter).empty();
    await letters.redrive(first);
    await letters.delete(large);
    await expect(letters.delete(large)).rejects.toThrow(ProblemError);
    expect((await letters.list({ after: known })).map(({ id }) => id)).toEqual([second]);
    expect(await client.meterCounter(meter).total()).toBe(300);
    await letters.delete(second);
  });

  test("knows where it is before the first event, so that none is lost when the connection ends", async () => {
    const who = freshKey();
    await client.emitter(who).note({ at: 5 });
    await domain.drained();
    const last = (await read("-1")).at(-1)?.id;
    const { Services } = exports as unknown as { Services: Binding };
    const answer = await Services.ask({ method: "GET", path: "/v1/streams/noted?follow=0", headers: {} });
    expect(await answer.text()).toBe(`id: ${last}\n\n`);
  });

  test("waits for events that are yet to come", async () => {
    const who = freshKey();
    const after = (await read("-1")).at(-1)?.id ?? "-1";
    const source = client.stream(Noted).read({ after });
    const next = source.next();
    await client.emitter(who).note({ at: 9 });
    expect((await next).value).toMatchObject({ event: { who, at: 9 } });
    await source.return();
  });
});
