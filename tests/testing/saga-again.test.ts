/** A saga's id is free again when its run has ended and is kept no longer: nothing of the earlier run reaches the next one. */

import { contract, fn, saga, service } from "tidegate";
import { expect, test } from "vitest";
import { testApp } from "../../testing/index.ts";

const Log = contract("log", { note: fn({}) });
const log = service(Log, { state: () => 0 }, { note: (ctx) => void (ctx.state += 1) });

const renewal = saga("renewal", {
  keep: "1d",
  steps: [
    { name: "year", delay: "365d" },
    { name: "renew", run: (ctx) => ctx.call(Log, ctx.key).note() },
  ],
});

test("a delay of a run that was cancelled does not end that of the next one", async () => {
  const app = testApp({ services: [log], sagas: [renewal] });
  const status = async () =>
    (await (await app.fetch("/v1/sagas/renewal/ann")).json()) as { status: string; step: string };
  const post = async (path: string) => expect((await app.fetch(path, { method: "POST" })).status).toBe(200);
  await post("/v1/sagas/renewal/ann");
  await app.advance("10d");
  await post("/v1/sagas/renewal/ann/cancel");
  await app.advance("30d");
  expect((await app.fetch("/v1/sagas/renewal/ann")).status).toBe(404);
  await app.advance("50d");
  await post("/v1/sagas/renewal/ann");
  // A year behind the first start, and not quite one behind the second.
  await app.advance("300d");
  expect(await status()).toMatchObject({ status: "running", step: "year" });
  await app.advance("64d");
  expect(await status()).toMatchObject({ status: "running", step: "year" });
  await app.advance("25h");
  expect(await status()).toMatchObject({ status: "completed" });
});
