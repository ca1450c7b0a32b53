/** What commands of the client are given and cannot use: that is said, and not that the app does not answer. */
import { expect, test } from "vitest";
import { run } from "../../cli/run.ts";

async function told(...args: readonly string[]): Promise<{ code: number; errors: string }> {
  const errors: string[] = [];
  const code = await run(args, {
    cwd: "/",
    // Nobody listens there, and nobody is asked.
    env: { TIDEGATE_TOKEN: "t", TIDEGATE_ADMIN_TOKEN: "t", TIDEGATE_URL: "http://127.0.0.1:9" },
    stdin: (async function* () {})(),
    out: () => undefined,
    err: (line) => void errors.push(line),
  });
  return { code, errors: errors.join("\n") };
}

test("an idempotency key that no header can have", async () => {
  const { code, errors } = await told("call", "account", "alice", "deposit", "--idempotency-key", "é");
  expect(errors).toContain("--idempotency-key is printable ASCII");
  expect(errors).not.toContain("does not answer");
  expect(code).toBe(2);
});

test.each([
  ["call", "account", "alice", "deposit", "--idempotency-key", ""],
  ["call", "account", "alice", "balance", "--url="],
  ["grow", "4", "--wait", ""],
  // Also where nothing would read it.
  ["call", "account", "alice", "balance", "--snapshot", "--idempotency-key="],
  ["watch", "sales", "--once", "--after", ""],
])("an option without a value: %s %s", async (...args) => {
  const { code, errors } = await told(...args);
  expect(errors).toMatch(/--[\w-]+ has no value/);
  expect(code).toBe(2);
});

test.each([
  ["--idempotency-key is printable ASCII", "call", "account", "alice", "deposit", "--idempotency-key", "a\n"],
  ["--name is printable ASCII", "ingest", "visits", "--name", "é"],
  ["a token is printable ASCII", "call", "account", "alice", "balance", "--token", "é"],
  ["at least one character", "watch", "sales", "", "--once"],
  ["they are not sent to", "call", "account", "alice", "balance", "--send", "--snapshot"],
])("what makes no sense: %s", async (what, ...args) => {
  const { code, errors } = await told(...args);
  expect(errors).toContain(what);
  expect(errors).not.toContain(".ts:");
  expect(code).toBe(2);
});

test.each([
  ["check"],
  ["export", "account"],
  ["backup", "--out", "/nowhere/backup"],
  ["restore", "/nowhere"],
  ["call", "account", "alice", "balance"],
])("an address with a password: %s", async (...args) => {
  for (const url of ["http://me:secret@127.0.0.1:9", "http://me@127.0.0.1:9", "http://:secret@127.0.0.1:9"]) {
    const { code, errors } = await told(...args, "--url", url);
    expect(errors).toContain("--url has no user and no password in it");
    expect(errors).not.toContain("secret");
    expect(code).toBe(2);
  }
});

test.each([
  ["restore", "/tmp"],
  ["ingest", "visits", "/tmp"],
  ["restore", "/nowhere"],
])("a file that cannot be read: %s %s", async (...args) => {
  const { code, errors } = await told(...args);
  expect(errors).toMatch(/^the (?:backup|events) cannot be read: /);
  expect(errors).not.toContain(".ts:");
  expect(code).toBe(1);
});

test("a token from a file, with the end of its line, is the token", async () => {
  const { code, errors } = await told("call", "account", "alice", "balance", "--token", "t\r\n");
  expect(errors).toContain("http://127.0.0.1:9 does not answer");
  expect(code).toBe(1);
  expect((await told("call", "account", "alice", "balance", "--token", "\n")).errors).toContain("there is no token");
  expect((await told("call", "account", "alice", "balance", "--token", "a\nb")).code).toBe(2);
});

test("an app that does not answer", async () => {
  const { code, errors } = await told("call", "account", "alice", "balance");
  expect(errors).toContain("http://127.0.0.1:9 does not answer");
  expect(code).toBe(1);
});
