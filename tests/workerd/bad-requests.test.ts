/** What no client should send: every answer is the client's error or a result, and no partition starts over because of it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, freshKey, partitionOf, PARTITIONS, run, send, stub } from "./support/app.ts";

const epochs = new Map<number, string>();
const keys = new Map<number, string>();
const incarnationOf = (epoch: string | null) => (epoch ?? "").split(".")[0] ?? "";

async function incarnation(partition: number): Promise<string> {
  const answer = await run(["pa", keys.get(partition) as string], [{ op: "read" }]);
  expect(answer.status).toBe(200);
  return incarnationOf(answer.headers.get("tidegate-epoch"));
}

beforeAll(async () => {
  while (keys.size < PARTITIONS) {
    const key = freshKey();
    keys.set(partitionOf(key), key);
  }
  for (const partition of keys.keys()) epochs.set(partition, await incarnation(partition));
});

afterAll(async () => {
  for (const partition of keys.keys()) {
    expect(await incarnation(partition)).toBe(epochs.get(partition));
    const { waiting, attempts, locks } = await stub(partition).status();
    expect([waiting, attempts, locks]).toEqual([0, 0, 0]);
  }
});

const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  send(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });

test.each(
  [
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "😀",
    "\u0000",
    "\u0001\u0002\u0003",
    "\uFEFF",
    "\u202E",
    "a\nb",
    "a;b=c",
    "x".repeat(512),
    "é".repeat(256),
    "../..",
    "%2e%2e",
    "?a=1#b",
  ].map((key) => [key]),
)("a key may be %j", async (key) => {
  const answer = await run(["pa", key], [{ op: "add", by: 1 }, { op: "read" }]);
  expect([answer.status, answer.body]).toMatchObject([200, [{ n: 1 }]]);
});

test.each([
  "/v1/services/__proto__/k/run",
  "/v1/services/constructor/k/constructor",
  "/v1/services/pa/k/__proto__",
  "/v1/services/pa/k/hasOwnProperty",
  "/v1/services/pa/%ff/run",
  "/v1/services/pa/%/run",
  "/v1/services/pa/~%%/run",
  "/v1/services/pa/~AA=/run",
  `/v1/services/pa/${"x".repeat(513)}/run`,
  `/v1/services/pa/${"x".repeat(8_000)}/run`,
  "/v1/services/%70a/k/run",
  "/v1/streams/__proto__",
  "/v1/views/__proto__",
])("an address that means nothing is refused: %s", async (path) => {
  const response = await post(path, "{}");
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
});

test.each([
  ["nested too deeply", `{"steps":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ["nested as deeply as may be", `{"steps":${"[".repeat(400)}${"]".repeat(400)}}`],
  ["a number beyond any", '{"steps":[{"op":"add","by":1e999}]}'],
  ["a number of many digits", `{"steps":[{"op":"add","by":${"9".repeat(100_000)}}]}`],
  ["a prototype", '{"__proto__":{"steps":[]},"constructor":{"prototype":{"polluted":1}}}'],
  ["an escaped prototype", '{"\\u005f_proto__":{"polluted":1},"steps":"no"}'],
  ["lone surrogates", '{"steps":"\\ud800\\udc00\\ud800"}'],
  ["a tag of stored values", '{"steps":{"~t":"d","v":0}}'],
  ["half a million faults", `{"steps":${"[1,".repeat(300)}1${"]".repeat(300)},"x":[${"0,".repeat(450_000)}0]}`],
])("an input with %s is refused or run, and is the client's affair", async (_what, body) => {
  const response = await post("/v1/services/unruly/k/impossible", body);
  expect([400, 413, 422]).toContain(response.status);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  const ran = await post(`/v1/services/pa/${freshKey()}/run`, body);
  const problem = await ran.text();
  expect(ran.status === 500 ? problem : "").not.toContain("edge failed");
});

test.each([
  ["traceparent", "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01\u00e9"],
  ["idempotency-key", '"a\\"'],
  ["idempotency-key", `"${"a".repeat(256)}"`],
  ["idempotency-key", '"";x'],
  ["content-type", 'application/json; charset="utf-16"'],
  ["content-type", "multipart/form-data; boundary=x"],
  ["content-encoding", "gzip"],
  ["authorization", "Bearer"],
])("a header %s: %s never fails the edge", async (name, value) => {
  const response = await post("/v1/services/pa/k/run", '{"steps":[]}', { [name]: value });
  expect(response.status).toBeLessThan(500);
});

test.each(["input=%", "input=[", `input=${"[".repeat(5_000)}`, "consistency=x", "input=1e999", "input=%00"])(
  "a query of ?%s never fails the edge",
  async (query) => {
    const response = await send(`/v1/services/pa/k/look?${query}`);
    expect(response.status).toBeLessThan(500);
  },
);

test("batch lines of every wrong kind have a result each", async () => {
  const lines = [
    "null",
    "[]",
    '"x"',
    "{}",
    '{"service":"__proto__","key":"k","function":"run"}',
    '{"service":"pa","key":"__proto__","function":"__proto__"}',
    '{"service":"pa","key":"\\u0000","function":"look","input":{"steps":[]}}',
    '{"service":"pa","key":"k","function":"run","input":{"steps":1e999}}',
    `{"service":"pa","key":"${"k".repeat(600)}","function":"run"}`,
    '{"service":"pa","key":"k","key":"l","function":"look","input":{"steps":[]}}',
    `{"service":"pa","key":"k","function":"run","input":${"[".repeat(10_000)}}`,
    '{"service":"unruly","key":"k","function":"impossible","input":{"__proto__":1}}',
  ];
  const response = await post("/v1/batch", lines.join("\n"), { "content-type": "application/x-ndjson" });
  const results = (await response.text()).trim().split("\n");
  const statuses = results.map((line) => (JSON.parse(line) as { status: number }).status);
  expect(statuses.length).toBe(lines.length);
  for (const status of statuses) expect(status).toBeLessThan(500);
});

test("bytes that are no text are refused", async () => {
  const bytes = Uint8Array.from([0x22, 0xff, 0xfe, 0x22]);
  expect((await post("/v1/services/pa/k/run", bytes)).status).toBe(400);
  expect((await call(["unruly", "k"], "impossible", "\u0000")).status).toBe(422);
});
