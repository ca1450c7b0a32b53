/** What administrators send: bodies of any form are answered with what is wrong with them. */
import { expect, it, vi } from "vitest";
import { FakeBackend } from "./support/backend.ts";
import { edge, problemIn } from "./support/edge.ts";

const ADMIN = "an-admin-token";

it.each(["", "null", "1", '"x"', "[]", "[null]", "{}", '{"service":null}', '{"service":1,"key":"a"}'])(
  "names no key to be erased, and no number of partitions: %s",
  async (body) => {
    const backend = Object.assign(new FakeBackend(), { admin: { token: ADMIN } });
    const { ask } = edge(backend);
    const headers = { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" };
    const erased = await ask("/admin/erase", { method: "POST", body, headers });
    expect([erased.status, (await problemIn(erased)).type]).toEqual([404, "/problems/unknown-service"]);
    const grown = await ask("/admin/partitions", { method: "POST", body, headers });
    expect([grown.status, (await problemIn(grown)).type]).toEqual(
      body === "" ? [400, "/problems/malformed-json"] : [422, "/problems/invalid-input"],
    );
    expect(backend.arrivals).toHaveLength(0);
  },
);

it("a backup that breaks off before its end is to be sent again, and is no failure of the Worker's", async () => {
  const backend = Object.assign(new FakeBackend(), { admin: { token: ADMIN } });
  const { ask } = edge(backend);
  const headers = { authorization: `Bearer ${ADMIN}` };
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new TypeError("the connection was lost"));
    },
  });
  const restored = await ask("/admin/restore", { method: "POST", body, headers, duplex: "half" } as never);
  expect([restored.status, (await problemIn(restored)).type]).toEqual([400, "/problems/body-incomplete"]);
  expect(backend.arrivals).toHaveLength(0);
});

it("a bucket that takes no backup is found out before any partition stands still", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const asked: unknown[] = [];
  const bucket = { createMultipartUpload: () => Promise.reject(new Error("try again later")), get: vi.fn() };
  const partition = () => ({ admin: (ask: unknown) => Promise.resolve(asked.push(ask)), scrub: vi.fn() });
  const backend = Object.assign(new FakeBackend(), { admin: { token: ADMIN, bucket, partition } });
  const headers = { authorization: `Bearer ${ADMIN}` };
  const answer = await edge(backend as never).ask("/admin/backup?to=daily", { method: "POST", headers });
  expect(answer.status).toBe(500);
  expect(asked).toEqual([]);
  log.mockRestore();
});
