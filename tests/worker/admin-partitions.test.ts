/** Another number of partitions, as an administrator asks for it. */
import { expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { initialMap } from "../../protocol/keygroups/map.ts";
import { FakeBackend } from "./support/backend.ts";
import { edge } from "./support/edge.ts";

const GIB = 1024 ** 3;

/** Asks for a number of partitions where these have so much; null is one that does not answer. */
async function asked(partitions: number, sizes: ReadonlyArray<number | null>, moving: object = {}) {
  const of = (index: number) => ({
    figures: async () => {
      if (sizes[index] === null) throw new Error("it does not answer");
      return { databaseBytes: sizes[index] };
    },
    recent: async () => [],
  });
  const more = {
    admin: { token: "t", partition: () => ({}) },
    observed: { partition: of, coordinator: async () => ({}) },
    map: initialMap(sizes.length),
  };
  const backend = Object.assign(new FakeBackend(), more) as unknown as FakeBackend;
  backend.rescaled = { ...backend.rescaled, partitions: sizes.length, ...moving };
  const headers = { authorization: "Bearer t", "content-type": "application/json" };
  const body = JSON.stringify({ partitions });
  const response = await edge(backend).ask("/admin/partitions", { method: "POST", body, headers });
  return { status: response.status, body: await response.json(), rescaled: backend.rescaled };
}

test("fewer that have no room for what all have are refused, and nothing moves", async () => {
  const { status, body, rescaled } = await asked(2, [7 * GIB, 2 * GIB, 3 * GIB, 4 * GIB]);
  expect([status, body]).toMatchObject([409, { type: "/problems/no-room", title: expect.any(String) }]);
  expect((body as { detail: string }).detail).toMatch(/^partition 0 would have some 10\.0 GiB, and takes 9\.0;/);
  expect(rescaled.phase).toBe("still");
});

test.each([
  ["fewer that have room", 2, [6 * GIB, 2 * GIB, 3 * GIB, 4 * GIB]],
  ["more, however full those are that there are", 5, [2, 2, 2, 2].map(() => LIMITS.maxDatabaseBytes + 1)],
  ["fewer, of which too many do not answer to tell", 2, [7 * GIB, 2 * GIB, null, null]],
])("%s are moved to", async (_, partitions, sizes) => {
  const { status, rescaled } = await asked(partitions, sizes);
  expect([status, rescaled]).toMatchObject([202, { wanted: partitions, phase: "copying" }]);
});

test("what is asked for again while it is under way is no more than it was: who gets key groups has a part of them already", async () => {
  const sizes = [7 * GIB, 7 * GIB, 4 * GIB, 4 * GIB];
  expect(await asked(2, sizes, { wanted: 2, phase: "copying" })).toMatchObject({
    status: 202,
    rescaled: { wanted: 2 },
  });
});
