/** What the page sends. It is another program, with types of its own: it is loaded by its path. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const API = "../../console/api.ts";
interface Api {
  call(service: string, key: string, name: string, input: unknown, idempotencyKey: string): Promise<unknown>;
  saga(saga: string, id: string): Promise<unknown>;
  overview(): Promise<unknown>;
}

const sent: string[] = [];
beforeEach(() => {
  sent.length = 0;
  vi.stubGlobal("location", { href: "http://app.example/console" });
  vi.stubGlobal("fetch", (url: URL, init: RequestInit) => {
    // As a browser does: it throws for what a header cannot carry.
    sent.push(new Request(url, init).url);
    return Promise.resolve(new Response("{}"));
  });
});
afterEach(() => void vi.unstubAllGlobals());

async function api(token = "a-token"): Promise<Api> {
  const { Api } = (await import(API)) as { Api: new (session: object) => Api };
  return new Api({ token, admin: token, tenant: "" });
}

test.each(["order – 17", "täglich", "line\nbreak"])(
  "an Idempotency-Key that no header carries is told as such: %j",
  async (key) => {
    const page = await api();
    await expect(page.call("account", "alice", "deposit", null, key)).rejects.toThrow(
      "An Idempotency-Key is printable ASCII",
    );
    await page.call("account", "alice", "deposit", null, 'order "17"');
    expect(sent).toHaveLength(1);
  },
);

test("so is a token", async () => {
  await expect((await api("abc…")).overview()).rejects.toThrow("A token is printable ASCII");
  expect(sent).toEqual([]);
});

test.each([
  ["parcel-17", "parcel-17"],
  ["~abc", "~fmFiYw"],
  ["..", "~Li4"],
  ["a/b", "~YS9i"],
])("a saga's id is found whatever it is: %j", async (id, segment) => {
  await (await api()).saga("ship-order", id);
  expect(sent).toEqual([`http://app.example/v1/sagas/ship-order/${segment}`]);
});
