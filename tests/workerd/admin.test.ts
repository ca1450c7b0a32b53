/** Administration over HTTP: who may, exports, and what is refused. Backups that are restored elsewhere are in tests/kill. */
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { decodeTable } from "../../protocol/backup/table.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { admin, ask, call, freshKey, send } from "./support/app.ts";

async function problemIn(response: Response): Promise<string> {
  return `${response.status} ${((await response.json()) as { type: string }).type}`;
}

interface Line {
  readonly service: string;
  readonly key: string;
  readonly collection?: string;
  readonly entry?: string | number;
  readonly value: unknown;
}

async function exported(service: string): Promise<{ lines: Line[]; count: number }> {
  const response = await admin(`/admin/export?service=${service}`);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
  const texts = (await response.text()).trimEnd().split("\n");
  const { lines: count } = JSON.parse(texts.pop() ?? "{}") as { lines: number };
  return { lines: texts.map((text) => JSON.parse(text) as Line), count };
}

describe("who may", () => {
  test.each(["/admin/backup", "/admin/restore", "/admin/erase", "/admin/export", "/admin/partitions"])(
    "%s needs its own token",
    async (path) => {
      // The token of callers, that is.
      expect(await problemIn(await send(path, { method: "POST" }))).toBe("401 /problems/unauthorized");
    },
  );

  test("other methods and paths are refused", async () => {
    expect(await problemIn(await admin("/admin/backup"))).toBe("405 /problems/method-not-allowed");
    expect(await problemIn(await admin("/admin/export", { method: "POST" }))).toBe("405 /problems/method-not-allowed");
  });
});

describe("an export", () => {
  test("is what queries say, of every key of the service and of no other", async () => {
    const keys = Array.from({ length: 9 }, freshKey);
    for (const [n, key] of keys.entries()) await call(["account", key], "deposit", { amount: n + 1 });
    const { lines, count } = await exported("account");
    expect(count).toBe(lines.length);
    expect(new Set(lines.map(({ service }) => service))).toEqual(new Set(["account"]));
    const found = new Map(lines.map(({ key, value }) => [key, value as { balance: number }]));
    for (const key of keys) expect(found.get(key)?.balance).toBe((await ask(["account", key], "balance")).body);
  });

  test("has entries of collections, with keys of both kinds and values as answers show them", async () => {
    const key = `${freshKey()} ü/\u0001`;
    await call(["values", key], "put", [
      ["b", { n: 1 }],
      [-2.5, "text"],
      ["\u0002", [true, null]],
    ]);
    const lines = (await exported("values")).lines.filter((line) => line.key === key);
    const byEntry = new Map(
      lines.filter(({ collection }) => collection !== undefined).map((line) => [line.entry, line.value]),
    );
    expect(byEntry.get("b")).toEqual({ n: 1 });
    expect(byEntry.get(-2.5)).toEqual("text");
    expect(byEntry.get("\u0002")).toEqual([true, null]);
  });

  test("of no service, or an unknown one, is refused", async () => {
    expect(await problemIn(await admin("/admin/export"))).toBe("400 /problems/invalid-parameter");
    expect(await problemIn(await admin("/admin/export?service=nothing"))).toBe("404 /problems/unknown-service");
  });
});

describe("a backup", () => {
  test("begins with what it is of, and leaves the domain as it was", async () => {
    const key = freshKey();
    await call(["account", key], "deposit", { amount: 5 });
    const response = await admin("/admin/backup", { method: "POST" });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { id } = decodeTable(createReferenceKernels(), bytes.slice(0, firstLength(bytes)));
    expect(response.headers.get("tidegate-backup")).toBe(id);
    expect((await ask(["account", key], "balance")).body).toBe(5);
    // The pins are free again.
    const again = await admin("/admin/backup", { method: "POST" });
    expect(again.status).toBe(200);
    // Read whole: what is left half read keeps its pins until nobody has asked for a minute.
    await again.arrayBuffer();
  });
});

describe("a bucket", () => {
  const bucket = (env as unknown as { TIDEGATE_BACKUPS: R2Bucket }).TIDEGATE_BACKUPS;

  test("takes a backup, in parts, and gives it back", async () => {
    const key = freshKey();
    // More than one part of 8 MiB.
    for (let n = 0; n < 20; n++) await call(["values", `${key}-${n}`], "pad", { chars: 500_000, fill: "x" });
    const stored = await admin("/admin/backup?to=daily/1", { method: "POST" });
    const { id, bytes } = (await stored.json()) as { id: string; bytes: number };
    const object = new Uint8Array(await (await bucket.get("daily/1"))!.arrayBuffer());
    expect(bytes).toBe(object.length);
    expect(bytes).toBeGreaterThan(9_000_000);
    expect(decodeTable(createReferenceKernels(), object.slice(0, firstLength(object))).id).toBe(id);
    // This domain is not empty, which is seen when the first table has been read.
    expect(await problemIn(await admin("/admin/restore?from=daily/1", { method: "POST" }))).toBe(
      "409 /problems/domain-not-empty",
    );
    await bucket.put("daily/2", object.slice(0, 20));
    expect(await problemIn(await admin("/admin/restore?from=daily/2", { method: "POST" }))).toBe(
      "422 /problems/invalid-backup",
    );
    expect(await problemIn(await admin("/admin/restore?from=daily/3", { method: "POST" }))).toBe(
      "404 /problems/not-found",
    );
  });

  test("what it does not take is refused before anything is pinned", async () => {
    for (const name of ["", "x".repeat(1_025), "é".repeat(513)]) {
      const to = `/admin/backup?to=${encodeURIComponent(name)}`;
      expect(await problemIn(await admin(to, { method: "POST" }))).toBe("400 /problems/invalid-parameter");
      const from = `/admin/restore?from=${encodeURIComponent(name)}`;
      expect(await problemIn(await admin(from, { method: "POST" }))).toBe("400 /problems/invalid-parameter");
    }
    const next = await admin("/admin/backup", { method: "POST" });
    expect(next.status).toBe(200);
    await next.arrayBuffer();
  });
});

function firstLength(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer);
  const cells = view.getUint16(12, true) + view.getUint16(14, true);
  return 32 + 4 * view.getUint32(8, true) * cells + view.getUint32(16, true) + view.getUint32(20, true);
}

describe("erasing", () => {
  test.each([
    [{}, "404 /problems/unknown-service"],
    [{ service: "#outbox", key: "x" }, "404 /problems/unknown-service"],
    [{ service: "account" }, "400 /problems/invalid-key"],
    [{ service: "account", key: "" }, "400 /problems/invalid-key"],
  ])("of %j is refused", async (body, refused) => {
    const headers = { "content-type": "application/json" };
    expect(await problemIn(await admin("/admin/erase", { method: "POST", body: JSON.stringify(body), headers }))).toBe(
      refused,
    );
  });

  test("says where the app has no such service: it may be gone, or mistyped", async () => {
    const key = freshKey();
    const erase = async (service: string): Promise<unknown> => {
      const headers = { "content-type": "application/json" };
      const answer = await admin("/admin/erase", { method: "POST", body: JSON.stringify({ service, key }), headers });
      return answer.json();
    };
    await call(["account", key], "deposit", { amount: 5 });
    expect(await erase("acount")).toEqual({
      service: "acount",
      key,
      erased: true,
      scrubbed: true,
      unknownService: true,
    });
    expect((await ask(["account", key], "balance")).body).toBe(5);
    expect(await erase("account")).toEqual({ service: "account", key, erased: true, scrubbed: true });
    expect((await ask(["account", key], "balance")).body).toBe(0);
  });

  test("cannot be asked for by those who call functions", async () => {
    const key = freshKey();
    await call(["account", key], "deposit", { amount: 5 });
    const line = JSON.stringify({ service: "account", key, function: "#erase" });
    const headers = { "content-type": "application/x-ndjson" };
    const answer = await (await send("/v1/batch", { method: "POST", body: line, headers })).text();
    expect(answer).toContain('"status":404');
    expect((await ask(["account", key], "balance")).body).toBe(5);
  });
});
