/** What is under a key, page by page: behind rows of that key alone. */
import { expect, it } from "vitest";
import type { AdminAsk } from "../../protocol/backup/asks.ts";
import { entityKey } from "../../protocol/state/state-key.ts";
import { FakeBackend } from "./support/backend.ts";
import { edge, problemIn } from "./support/edge.ts";

const SERVICE = "account";

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
