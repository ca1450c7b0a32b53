/** Flows while producers send side by side, partitions come and go and objects are aborted: every event counts once. */
import { abortAllDurableObjects } from "cloudflare:test";
import { expect, test } from "vitest";
import { createRandom } from "../../sim/random.ts";
import { leftovers, PARTITIONS, send } from "./support/app.ts";
import { sleep } from "./support/patience.ts";
import { rescaleTo, untilThere } from "./support/rescale.ts";

const START = 1_800_000_000_000;
const METERS = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** Sends again until there is an answer that counts. */
async function untilAnswered(path: string, init: RequestInit): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const response = await send(path, init).catch(() => null);
    const text = await response?.text().catch(() => null);
    if (response?.status === 200 && typeof text === "string") return;
    if (response !== null && response.status < 500 && typeof text === "string")
      throw new Error(`${path} answered ${response.status} ${text}`);
    await sleep(10);
  }
  throw new Error(`${path} has no answer`);
}

async function rows(view: string): Promise<Array<Record<string, unknown>>> {
  const response = await send(`/v1/views/${view}?limit=1000`);
  return ((await response.json()) as { rows: Array<Record<string, unknown>> }).rows;
}

test("every event counts once, in every view and in the stream that comes of it", { timeout: 120_000 }, async () => {
  const seed = Date.now() % 1_000_000;
  const random = createRandom(seed);
  const totals = new Map<string, { n: number; total: number }>();
  let high = 0;
  let working = true;
  let number = 0;
  const producer = async (name: string): Promise<void> => {
    while (working && number < 400) {
      const at = START + number++ * 100;
      const events = Array.from({ length: 1 + random.int(12) }, () => ({
        meter: random.pick(METERS),
        value: random.int(101),
        at: at + random.int(50),
      }));
      const headers = { "content-type": "application/x-ndjson", "idempotency-key": `"${name}-${at}"` };
      const body = events.map((event) => JSON.stringify(event)).join("\n");
      await untilAnswered("/v1/streams/meter-readings", { method: "POST", headers, body });
      for (const { meter, value } of events) {
        const known = totals.get(meter) ?? { n: 0, total: 0 };
        totals.set(meter, { n: known.n + 1, total: known.total + value });
        if (value === 100) high += 1;
      }
    }
  };
  const producers = ["p", "q", "r"].map(producer);
  for (const partitions of [7, 3, PARTITIONS]) {
    await sleep(300);
    await rescaleTo(partitions);
    for (let abort = 0; abort < 2; abort++) {
      await sleep(random.int(60));
      await abortAllDurableObjects();
    }
    await untilThere(partitions);
  }
  await sleep(300);
  working = false;
  await Promise.all(producers);
  console.log(`seed ${seed}: ${number} batches, ${high} high readings`);
  const expected = METERS.flatMap((meter) => {
    const known = totals.get(meter);
    return known === undefined ? [] : [{ meter, n: known.n }];
  });
  expect((await rows("meter-totals")).map(({ meter, n }) => ({ meter, n }))).toEqual(expected);
  // Sessions hold every event that was not late for them, and are apart: late ones are counted by the flow.
  const windows = await rows("meter-windows");
  const flow = (await (await send("/v1/flows/meter-windows")).json()) as { status: { events: number } };
  const events = [...totals.values()].reduce((sum, { n }) => sum + n, 0);
  expect(flow.status.events).toBe(events);
  expect(windows.reduce((sum, row) => sum + Number(row["n"]), 0)).toBeLessThanOrEqual(events);
  const stream = await (await send("/v1/streams/high-readings?after=-1&follow=0")).text();
  expect(stream.match(/^data: /gm)?.length ?? 0).toBe(high);
  expect(await leftovers()).toBe(0);
});
