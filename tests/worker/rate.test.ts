/** How fast callers may be, where requests do not end in the order in which they came. */
import { expect, it } from "vitest";
import { z } from "zod";
import { defineApp } from "../../sdk/app.ts";
import { everyone } from "../../sdk/caller.ts";
import { contract, fn } from "../../sdk/contract.ts";
import { service } from "../../sdk/service.ts";
import { edge } from "./support/edge.ts";

const Till = contract("till", { sell: fn({ input: z.object({}) }) });
const till = service(Till, { allow: everyone }, { sell: () => undefined });
const app = defineApp({ services: [till], limits: { rate: { perSecond: 1, burst: 10 } } });

it("a batch that came slowly gives nobody the time back that was used meanwhile", async () => {
  const { ask, backend } = edge(undefined, app);
  const began = Date.now();
  let now = began;
  backend.now = () => now;
  const sell = () => ask("/v1/services/till/a/sell", { method: "POST", anonymous: true });
  const soldAtOnce = async (): Promise<number> => {
    for (let sold = 0; ; sold++) if ((await sell()).status !== 200) return sold;
  };
  // Its line is counted when it has come: 20 s after the request, when what these seconds gave is used up.
  let usedMeanwhile = -1;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) =>
      controller.enqueue(new TextEncoder().encode('{"service":"till","key":"a","function":"sell"}')),
    async pull(controller) {
      now = began + 20_000;
      usedMeanwhile = await soldAtOnce();
      now += 1_000;
      controller.close();
    },
  });
  const headers = { "content-type": "application/x-ndjson" };
  const response = await ask("/v1/batch", { method: "POST", body, headers, anonymous: true });
  await response.text();
  expect(usedMeanwhile).toBe(10);
  // The second since then was its line's.
  expect(await soldAtOnce()).toBe(0);
});

it("a batch of more lines than the bucket holds is let in when that is full but for its own request", async () => {
  const { ask, backend } = edge(undefined, app);
  const now = Date.now();
  backend.now = () => now;
  const headers = { "content-type": "application/x-ndjson" };
  const send = async (lines: number): Promise<number> => {
    const body = '{"service":"till","key":"a","function":"sell"}\n'.repeat(lines);
    const response = await ask("/v1/batch", { method: "POST", body, headers, anonymous: true });
    await response.text();
    return response.status;
  };
  expect(await send(50)).toBe(200);
  // It is in debt.
  expect(await send(1)).toBe(429);
  backend.now = () => now + 40_000;
  expect(await send(10)).toBe(429);
  backend.now = () => now + 60_000;
  // Refused requests are counted, too.
  expect(await send(10)).toBe(200);
});

it.each([0.5, 1, 3])("a batch that waits as it is told is let in, with %d requests a second", async (perSecond) => {
  const { ask, backend } = edge(undefined, defineApp({ services: [till], limits: { rate: { perSecond, burst: 60 } } }));
  let now = Date.now();
  backend.now = () => now;
  const headers = { "content-type": "application/x-ndjson" };
  const send = async (lines: number) => {
    const body = '{"service":"till","key":"a","function":"sell"}\n'.repeat(lines);
    const response = await ask("/v1/batch", { method: "POST", body, headers, anonymous: true });
    await response.text();
    return { status: response.status, after: Number(response.headers.get("retry-after")) };
  };
  expect((await send(30)).status).toBe(200);
  const { status, after } = await send(60);
  expect(status).toBe(429);
  now += after * 1_000;
  expect((await send(60)).status).toBe(200);
  // A request alone waits for its own token only.
  const sell = () => ask("/v1/services/till/a/sell", { method: "POST", anonymous: true });
  const refused = await sell();
  now += Number(refused.headers.get("retry-after")) * 1_000;
  expect([refused.status, (await sell()).status]).toEqual([429, 200]);
});
