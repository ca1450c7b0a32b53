/** The kernels replaced by traps, one at a time: what they are said to do cannot be done without them. */
import { abortAllDurableObjects } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Kernels, TableSpec } from "../../core-wasm/types.ts";
import { RECORD } from "../../protocol/record/record.ts";
import { INVOKE } from "../../protocol/wire/invoke.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { INGEST } from "../../protocol/wire/ingest.ts";
import { Sales } from "../app/src/flow.ts";
import { batch, call, freshKey, partitionOf, send, stub } from "../workerd/support/app.ts";
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

/** An envelope as the edge would send it, for the partition of the stream. */
function envelope(): Uint8Array {
  const kernels = createReferenceKernels();
  const parsed = kernels.parseEvents(new TextEncoder().encode(sale), Sales.columns);
  if (!parsed.ok) throw new Error(parsed.fault.code);
  const id = `e${Date.now().toString(16).padStart(11, "0")}${"b".repeat(20)}`;
  return kernels.pack(INGEST, {
    rows: 1,
    columns: [0, ...parsed.fingerprint, 1],
    fields: [id, "sales"],
    tail: parsed.frame,
  });
}

/** An invocation as the edge would send it. */
function frame(): Uint8Array {
  const id = `e${Date.now().toString(16).padStart(11, "0")}${"a".repeat(20)}`;
  const fields = [id, "account", key, "deposit", '{"amount":1}'];
  return createReferenceKernels().pack(INVOKE, { rows: 1, columns: [1, 0, 0, 0], fields });
}

/** Whether it failed, in whichever way: by its status or by an exception. Partitions are asked directly, since the edge would try again for seconds. */
async function fails(what: () => Promise<unknown>): Promise<boolean> {
  try {
    const answer = await what();
    return typeof answer === "object" && answer !== null && Number(Reflect.get(answer, "status")) >= 500;
  } catch {
    return true;
  }
}

const account = () => stub(partitionOf(key));
const sales = () => stub(partitionOf("sales"));

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
    expect(await fails(() => sales().ingest(envelope()))).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });

  test("reads groups, no view is shown", async () => {
    set("openGroups");
    expect(
      await fails(() => sales().view({ view: "sales-per-second", key: undefined, limit: 10, after: undefined })),
    ).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });

  test("packs frames, no call leaves the edge", async () => {
    set("pack", INVOKE);
    expect(await fails(() => call(["account", key], "deposit", { amount: 1 }))).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });

  test("unpacks frames, no call is admitted", async () => {
    set("unpack", INVOKE);
    expect(await fails(() => account().invoke(frame()))).toBe(true);
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
    expect(await fails(() => account().invoke(frame()))).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
    set("readGroups");
    await abortAllDurableObjects();
    expect((await call(["account", key], "balance")).body).toBe(before);
  });

  test("unpacks records, no partition recovers", async () => {
    set("unpack", RECORD);
    await abortAllDurableObjects();
    expect(await fails(() => account().status())).toBe(true);
    expect(trap.sprung).toBeGreaterThan(0);
  });
});

test("with all kernels back everything works", async () => {
  expect((await batch([deposit])).map(({ status }) => status)).toEqual([200]);
  expect((await ingest()).status).toBe(200);
});
