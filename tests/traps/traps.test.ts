/** The kernels replaced by traps, one at a time: what they are said to do cannot be done without them. */
import { abortAllDurableObjects } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Kernels, TableSpec } from "../../core-wasm/types.ts";
import { RECORD } from "../../protocol/record/record.ts";
import { INVOKE } from "../../protocol/wire/invoke.ts";
import { batch, call, freshKey, send } from "../workerd/support/app.ts";
import { trap } from "./trap-kernels.ts";

function set(kernel: keyof Kernels, spec?: TableSpec): void {
  Object.assign(trap, { kernel, kind: spec?.kind ?? 0, sprung: 0 });
}

afterEach(async () => {
  Object.assign(trap, { kernel: "", kind: 0, sprung: 0 });
  await abortAllDurableObjects();
});

const key = freshKey();
const deposit = { service: "account", key, function: "deposit", input: { amount: 1 } };
const sale = '{"item":"tea","amount":3,"at":1800000000000}';

function ingest(): Promise<Response> {
  return send("/v1/streams/sales", { method: "POST", headers: { "content-type": "application/x-ndjson" }, body: sale });
}

/** Whether it failed, in whichever way: by its status or by an exception. */
async function fails(what: () => Promise<{ status: number }>): Promise<boolean> {
  return what().then(
    ({ status }) => status >= 500,
    () => true,
  );
}

beforeAll(async () => {
  expect((await call(["account", key], "deposit", { amount: 1 })).body).toBe(1);
  expect((await batch([deposit])).map(({ result }) => result)).toEqual([2]);
  expect((await ingest()).status).toBe(200);
});

describe("without the kernel that", () => {
  test("routes batches, no batch runs", async () => {
    set("routeBatch");
    expect(
      await fails(() =>
        send("/v1/batch", {
          method: "POST",
          body: JSON.stringify(deposit),
          headers: { "content-type": "application/x-ndjson" },
        }),
      ),
    ).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });

  test("parses events, no event is taken", async () => {
    set("parseEvents");
    expect(await fails(ingest)).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });

  test("opens windows, no event is taken", async () => {
    await abortAllDurableObjects();
    set("openWindow");
    expect(await fails(ingest)).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });

  test("reads groups, no view is shown", async () => {
    set("readGroups");
    expect(await fails(() => send("/v1/views/sales-per-second"))).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });

  test("packs frames, no call leaves the edge", async () => {
    set("pack", INVOKE);
    expect(await fails(() => call(["account", key], "deposit", { amount: 1 }))).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });

  test("unpacks frames, no call is admitted", async () => {
    set("unpack", INVOKE);
    expect(await fails(() => call(["account", key], "deposit", { amount: 1 }))).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });

  test("hashes keys, no call finds its partition", async () => {
    set("hashKey");
    expect(await fails(() => call(["account", key], "deposit", { amount: 1 }))).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });

  test("checks JSON, no body is taken", async () => {
    set("checkJson");
    expect(await fails(() => call(["account", key], "deposit", { amount: 1 }))).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });

  test("packs records, nothing is written", async () => {
    const before = (await call(["account", key], "balance")).body;
    set("pack", RECORD);
    expect(await fails(() => call(["account", key], "deposit", { amount: 1 }))).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
    set("readGroups");
    await abortAllDurableObjects();
    expect((await call(["account", key], "balance")).body).toBe(before);
  });

  test("unpacks records, no partition recovers", async () => {
    set("unpack", RECORD);
    await abortAllDurableObjects();
    expect(await fails(() => call(["account", key], "balance"))).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });
});

test("with all kernels back everything works", async () => {
  expect((await batch([deposit])).map(({ status }) => status)).toEqual([200]);
  expect((await ingest()).status).toBe(200);
});
