/** What is under a key, page by page: behind rows of that key alone, by the map that the partition goes by. */
import { afterEach, expect, it, vi } from "vitest";
import type { AdminAsk, AdminReply } from "../../protocol/backup/asks.ts";
import { rescaledMap } from "../../protocol/keygroups/map.ts";
import { entityKey } from "../../protocol/state/state-key.ts";
import { problemOf } from "../../sdk/problems.ts";
import { LIMITS } from "../../worker/limits.ts";
import { FakeBackend } from "./support/backend.ts";
import { edge, problemIn } from "./support/edge.ts";

const SERVICE = "account";
afterEach(() => void vi.useRealTimers());

function state(after: string) {
  const asked: AdminAsk[] = [];
  const answer = (ask: AdminAsk) => {
    asked.push(ask);
    return Promise.resolve({ status: 200, body: JSON.stringify({ rows: [], next: null }) });
  };
  const partition = () => ({ admin: answer, scrub: () => true });
  const backend = Object.assign(new FakeBackend(), { admin: { token: "an-admin-token", partition } });
  const path = `/admin/state?service=${SERVICE}&key=alice&after=${encodeURIComponent(after)}`;
  const response = edge(backend as never).ask(path, { headers: { authorization: "Bearer an-admin-token" } });
  return { asked, response };
}

const OWN = entityKey(SERVICE, "alice");

it.each(["", "a", "account", entityKey(SERVICE, "bob"), entityKey(SERVICE, "alic"), `${OWN}\u0000`])(
  "what is no row of the key is refused: %j",
  async (after) => {
    const { asked, response } = state(after);
    const { status, type } = await problemIn(await response);
    expect([status, type]).toEqual([400, "/problems/invalid-parameter"]);
    expect(asked).toEqual([]);
  },
);

it.each([OWN, `${OWN}pages\u0001sone`])("a row of the key is where the next page begins: %j", async (after) => {
  const { asked, response } = state(after);
  expect((await response).status).toBe(200);
  expect(asked).toMatchObject([{ op: "rows", key: "alice", after }]);
});

/** Asks by a map that is replaced when the first ask has come. @param answer of a partition, asked once more each time */
async function moved(answer: (times: number) => object) {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  const backend = new FakeBackend();
  const asked: number[] = [];
  const admin = (partition: number): AdminReply => {
    asked.push(partition);
    backend.trueMap = rescaledMap(backend.map, 8, 2);
    const body = answer(asked.length);
    return { status: "status" in body ? 503 : 200, body: JSON.stringify(body), epoch: "" };
  };
  const partition = (index: number) => ({ admin: () => Promise.resolve(admin(index)) });
  Object.assign(backend, { admin: { token: "an-admin-token", partition } });
  const headers = { authorization: "Bearer an-admin-token" };
  const response = edge(backend as never).ask(`/admin/state?service=${SERVICE}&key=moving-3`, { headers });
  await vi.advanceTimersByTimeAsync(60_000);
  return { asked, response: await response };
}

const MOVING = problemOf("keys-moving", "another partition keeps this key", { retryable: true });
const NOTHING = { rows: [], next: null };

it.each([
  ["goes by another map", { ...NOTHING, map: 2 }],
  ["does not keep the key", MOVING],
])("a partition that %s is not believed: the map is fetched again", async (_, first) => {
  const { asked, response } = await moved((times) => (times === 1 ? first : { ...NOTHING, map: 2 }));
  expect(response.status).toBe(200);
  expect(asked).toHaveLength(2);
  expect(await response.json()).toMatchObject({ partition: asked[1] });
});

it("one that does not name its map is", async () => {
  const { asked, response } = await moved(() => NOTHING);
  expect([response.status, asked.length]).toEqual([200, 1]);
});

it.each([MOVING, { ...NOTHING, map: 3 }])("who finds no map that partitions go by is told so: %j", async (answer) => {
  const { asked, response } = await moved(() => answer);
  expect(await problemIn(response)).toMatchObject({ status: 503, type: "/problems/keys-moving", retryable: true });
  expect(asked).toHaveLength(LIMITS.attempts);
});
