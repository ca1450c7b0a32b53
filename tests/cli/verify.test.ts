/** `npx tidegate verify` of places that are slow or broken: where nothing was seen it finds nothing, and says so. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { run } from "../../cli/run.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

interface Asked {
  readonly name: string;
  readonly input: { readonly keys?: readonly string[]; readonly operations?: ReadonlyArray<readonly string[]> } | null;
}

interface Told {
  /** Of a failure; else it is what a domain answers in which nobody ever writes. */
  readonly status?: number;
  readonly afterMs?: number;
}

const ACCOUNTS = 20;

function resultOf({ name, input }: Asked): unknown {
  if (name === "balances") return Array.from({ length: ACCOUNTS }, () => 100);
  if (name === "readAll") return input?.keys?.map(() => []);
  return name === "perform" ? input?.operations?.map(([op]) => (op === "read" ? [] : null)) : null;
}

/** `npx tidegate verify` of what is at an address. */
async function verifiedAt(url: string, ...args: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await run(["verify", "--url", url, "--seconds", "1", "--clients", "4", "--seed", "5", ...args], {
    cwd: "/",
    env: { TIDEGATE_TOKEN: "t" },
    stdin: (async function* () {})(),
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
  });
  return { code, report: JSON.parse(out[0] ?? "null") as Record<string, unknown> | null, err: err.join("\n") };
}

/** @returns the functions that were asked for, too, in order */
async function verified(how: (asked: Asked) => Told, ...args: readonly string[]) {
  const names: string[] = [];
  server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://domain");
    let text = url.searchParams.get("input") ?? "";
    for await (const chunk of request) text += String(chunk);
    const asked: Asked = {
      name: url.pathname.split("/")[5] ?? "",
      input: JSON.parse(text || "null") as Asked["input"],
    };
    names.push(asked.name);
    const { status = 200, afterMs = 0 } = how(asked);
    await sleep(afterMs);
    const problem = { type: status < 500 ? "/problems/invalid-input" : "/problems/internal-error", title: "x", status };
    response.writeHead(status, { "content-type": status < 400 ? "application/json" : "application/problem+json" });
    response.end(JSON.stringify(status < 400 ? resultOf(asked) : problem));
  });
  await new Promise<void>((listening) => server?.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { ...(await verifiedAt(url, ...args)), names };
}

const cleared = (names: readonly string[]): number => names.filter((name) => name === "clear").length;

test("the time counts from when the accounts are open, however long that takes", async () => {
  const { report } = await verified(({ name }) => ({ afterMs: name === "open" ? 1_200 : 5 }));
  expect(report?.["transactions"]).toBeGreaterThan(20);
});

test.each([
  ["every transaction", ["perform", "transfer"]],
  ["every one on lists", ["perform"]],
])("it is no verdict where %s failed", { timeout: 60_000 }, async (_what, failing) => {
  const told = await verified(({ name }) => (failing.includes(name) ? { status: 500 } : {}), "--transactions", "40");
  expect([told.code, told.report?.["verdict"]]).toEqual([1, "unverified"]);
  expect(told.err).toContain("this says nothing: 0 transactions on lists");
  expect(cleared(told.names)).toBeGreaterThanOrEqual(ACCOUNTS);
});

test("what a run that breaks off has written is taken away when nothing of it is under way", async () => {
  let transfers = 0;
  const told = await verified(({ name }) => {
    const fails = name === "transfer" && ++transfers > 5;
    return fails ? { status: 422 } : { afterMs: name === "perform" ? 50 : 0 };
  });
  expect([told.code, told.report]).toEqual([1, null]);
  expect(told.err).toContain("422");
  expect(cleared(told.names)).toBeGreaterThanOrEqual(ACCOUNTS);
  const first = told.names.indexOf("clear");
  expect(new Set(told.names.slice(first))).toEqual(new Set(["clear"]));
});

const LEFT = "is still there";

test("what has written nothing takes nothing away, and tells of nothing that is left: every request was refused", async () => {
  const told = await verified(() => ({ status: 401 }));
  expect([told.code, told.err]).toEqual([1, expect.stringContaining("401")]);
  expect(told.err).not.toContain(LEFT);
  expect(new Set(told.names)).toEqual(new Set(["open"]));
});

test("nobody was there", { timeout: 30_000 }, async () => {
  const gone = createServer();
  await new Promise<void>((listening) => gone.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
  await new Promise((closed) => gone.close(closed));
  const { code, err } = await verifiedAt(url);
  expect([code, err]).toEqual([1, expect.stringContaining("does not answer")]);
  expect(err).not.toContain(LEFT);
});

test("what cannot be taken away is told, also where only some accounts were opened", async () => {
  let opened = 0;
  const told = await verified(({ name }) => (name === "open" && ++opened === 1 ? {} : { status: 422 }));
  expect([told.code, told.err]).toEqual([1, expect.stringContaining(LEFT)]);
});
