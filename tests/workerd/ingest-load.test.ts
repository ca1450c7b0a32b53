/** More events under way than a partition holds: the others are told to come again, and nothing is lost or taken twice. */
import { expect, test } from "vitest";
import { leftovers, send } from "./support/app.ts";
import { useLimits } from "../support/limits.ts";

const limits = useLimits();

test("bytes of events under way are bounded: beyond it is 503 with Retry-After, and all come through in the end", async () => {
  limits.maxIngestBytes = 20_000;
  let most = 0;
  let now = 0;
  let refused = 0;
  const give = async (batch: number): Promise<void> => {
    const events = Array.from(
      { length: 50 },
      (_, n) => `{"meter":"load-${batch % 7}","value":1,"at":${1_900_000_000_000 + n}}`,
    );
    const headers = { "content-type": "application/x-ndjson", "idempotency-key": `"load-${batch}"` };
    for (;;) {
      most = Math.max(most, ++now);
      const response = await send("/v1/streams/meter-readings", { method: "POST", headers, body: events.join("\n") });
      now -= 1;
      const body = (await response.json()) as { readonly type?: string };
      if (response.status === 200) return;
      expect([response.status, body.type]).toEqual([503, "/problems/overloaded"]);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      refused += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all(Array.from({ length: 40 }, (_, batch) => give(batch)));
  expect(most).toBe(40);
  expect(refused).toBeGreaterThan(0);
  const totals = Array.from({ length: 7 }, async (_, n) => {
    const { rows } = (await (await send(`/v1/views/meter-totals/load-${n}`)).json()) as { rows: Array<{ n: number }> };
    return rows[0]?.n;
  });
  expect((await Promise.all(totals)).reduce<number>((sum, n) => sum + (n ?? 0), 0)).toBe(40 * 50);
  expect(await leftovers()).toBe(0);
});
