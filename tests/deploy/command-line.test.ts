/** `npx tidegate` against a served app: what each command says, and its exit code. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../cli/ports.ts";
import { run } from "../../cli/run.ts";
import { type Bundle, bundle } from "../../scripts/lib/bundle.ts";
import { type LocalServer, serve } from "../../scripts/lib/local-server.ts";

const TOKEN = "test-token";
const CONFIG = resolve(import.meta.dirname, "../app/wrangler.jsonc");

let folder: string;
let server: LocalServer;
let app: Bundle;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-cli-"));
  app = await bundle(CONFIG);
  server = await serve({ bundle: app, port: await freePort(), token: TOKEN });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
async function tidegate(
  args: readonly string[],
  more: { stdin?: string; env?: Record<string, string>; cwd?: string } = {},
): Promise<Said> {
  const [out, err]: [string[], string[]] = [[], []];
  const stdin = (async function* () {
    if (more.stdin !== undefined) yield new TextEncoder().encode(more.stdin);
  })();
  const env = { TIDEGATE_URL: server.url, TIDEGATE_TOKEN: TOKEN, TIDEGATE_ADMIN_TOKEN: TOKEN, ...more.env };
  const code = await run(args, {
    cwd: more.cwd ?? folder,
    env,
    stdin,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

describe("every command", () => {
  test("is listed, and has a help that names its options", async () => {
    const { code, out } = await tidegate(["--help"]);
    expect(code).toBe(0);
    const names = Array.from(out.matchAll(/^ {2}(\w+) {2,}/gm), ([, name]) => name as string);
    expect(names).toEqual([
      "init",
      "dev",
      "call",
      "ingest",
      "watch",
      "export",
      "backup",
      "restore",
      "grow",
      "key",
      "check",
      "verify",
    ]);
    for (const name of names) {
      const help = await tidegate([name, "--help"]);
      expect([help.code, help.err]).toEqual([0, ""]);
      expect(help.out).toMatch(new RegExp(`^usage: npx tidegate ${name}[^]*--help +says this`));
    }
  });

  test("that does not exist, or is given what it does not take, is exit code 2", async () => {
    expect(await tidegate(["fly"])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no command "fly"') as string,
    });
    expect(await tidegate(["call", "a"])).toMatchObject({ code: 2, err: expect.stringContaining("usage:") as string });
    expect(await tidegate(["grow", "4", "--fast"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("--fast") as string,
    });
    expect((await tidegate([])).code).toBe(2);
  });

  test("says what is wrong with an address or a token", async () => {
    const call = ["call", "account", "a", "balance"];
    expect((await tidegate([...call, "--url", "nowhere"])).code).toBe(2);
    const unreachable = await tidegate(["export", "account", "--url", "http://127.0.0.1:9"]);
    expect(unreachable).toMatchObject({
      code: 1,
      err: expect.stringContaining("http://127.0.0.1:9 does not answer") as string,
    });
    const wrong = await tidegate(call, { env: { TIDEGATE_TOKEN: "wrong" } });
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("401 unauthorized") as string });
    const none = await tidegate(call, { env: { TIDEGATE_TOKEN: "" } });
    expect(none).toMatchObject({ code: 1, err: expect.stringContaining("set TIDEGATE_TOKEN") as string });
  });

  test("takes the token of a domain on this machine from .dev.vars", async () => {
    await writeFile(join(folder, ".dev.vars"), `# local\nTIDEGATE_TOKEN="${TOKEN}"\n`);
    const env = { TIDEGATE_TOKEN: undefined as unknown as string };
    expect(await tidegate(["call", "account", "a", "balance"], { env })).toMatchObject({ code: 0, out: "0" });
    await rm(join(folder, ".dev.vars"));
  });
});

describe("call", () => {
  test("prints the result, and says when it is refused or fails", async () => {
    expect(await tidegate(["call", "account", "ann", "deposit", '{"amount":5}'])).toEqual({
      code: 0,
      out: "5",
      err: "",
    });
    expect(await tidegate(["call", "account", "ann", "balance", "--snapshot"])).toMatchObject({ code: 0 });
    const refused = await tidegate(["call", "account", "ann", "withdraw", '{"amount":50}']);
    expect(refused).toEqual({ code: 1, out: "", err: 'refused: insufficient-funds {"balance":5}' });
    const invalid = await tidegate(["call", "account", "ann", "deposit", '{"amount":"much"}']);
    expect(invalid).toMatchObject({ code: 1, err: expect.stringContaining("422 invalid-input") as string });
    expect((await tidegate(["call", "account", "ann", "deposit", "{amount"])).code).toBe(2);
  });

  test("is done once under one Idempotency-Key, and sends messages", async () => {
    const call = ["call", "account", "bob", "deposit", '{"amount":7}', "--idempotency-key", 'a "key"'];
    expect([(await tidegate(call)).out, (await tidegate(call)).out]).toEqual(["7", "7"]);
    const sent = await tidegate(["call", "account", "bob", "deposit", '{"amount":1}', "--send"]);
    expect(JSON.parse(sent.out)).toMatchObject({ id: expect.stringMatching(/^m/) as string });
    await expect.poll(async () => (await tidegate(["call", "account", "bob", "balance"])).out).toBe("8");
    const later = await tidegate(["call", "account", "bob", "deposit", '{"amount":1}', "--send", "--delay", "1s"]);
    expect(JSON.parse(later.out)).toMatchObject({ id: expect.any(String) as string });
    await expect
      .poll(async () => (await tidegate(["call", "account", "bob", "balance"])).out, { timeout: 10_000 })
      .toBe("9");
    expect((await tidegate(["call", "account", "bob", "deposit", "--delay", "5s"])).code).toBe(2);
  });
});

describe("events", () => {
  const lines = Array.from({ length: 25 }, (_, n) =>
    JSON.stringify({ item: `i${n % 2}`, amount: n, at: 1_800_000_000_000 }),
  );

  test("come in from a file, in batches that are taken once", async () => {
    await writeFile(join(folder, "sales.ndjson"), `${lines.join("\n")}\n\n`);
    const ingest = ["ingest", "sales", "sales.ndjson", "--lines", "10", "--name", "till-1"];
    const first = await tidegate(ingest);
    expect([first.code, JSON.parse(first.out)]).toEqual([0, { accepted: 25, late: 0, batches: 3 }]);
    expect((await tidegate(ingest)).code).toBe(0);
    const watched = await tidegate(["watch", "sales-per-second", "--once"]);
    const rows = watched.out.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map(({ key }) => key)).toEqual(["i0", "i1"]);
    expect(watched.out).toContain('"final":');
  });

  test("come in from standard input, and stop at the first batch that is refused", async () => {
    const stdin = `${lines[0]}\n{"item":3}\n${lines[1]}`;
    const stopped = await tidegate(["ingest", "sales", "--lines", "1"], { stdin });
    expect(stopped).toMatchObject({ code: 1, out: "" });
    expect(stopped.err).toContain("1 events in 1 batches");
    expect(stopped.err).toContain("422 invalid-event");
  });
});

test("events of a stream are watched from where one was", async () => {
  const sse = await answering('id: 3\ndata: {"n":9007199254740993}\n\n', 200, "text/event-stream");
  const said = await tidegate(["watch", "orders", "--stream", "--after", "2", "--once", "--url", sse.url]);
  expect([said.code, said.out]).toEqual([0, '{"id":"3","event":{"n":9007199254740993}}']);
  sse.server.close();
});

describe("administration", () => {
  test("exports a service whole, to standard output or a file", async () => {
    await tidegate(["call", "account", "carol", "deposit", '{"amount":3}']);
    const { code, out } = await tidegate(["export", "account"]);
    expect(code).toBe(0);
    expect(out.split("\n")).toContain('{"service":"account","key":"carol","value":{"balance":3}}');
    expect(out).not.toContain('"lines":');
    expect((await tidegate(["export", "account", "--out", "account.ndjson"])).code).toBe(0);
    expect((await readFile(join(folder, "account.ndjson"), "utf8")).trimEnd().split("\n").sort()).toEqual(
      out.split("\n").sort(),
    );
    expect(await tidegate(["export", "nothing"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("unknown-service") as string,
    });
  });

  test("an export that is cut short is no export", async () => {
    const cut = await answering('{"service":"a","key":"b","value":1}\n{"lines":7}\n');
    const said = await tidegate(["export", "account", "--out", "cut.ndjson", "--url", cut.url]);
    expect(said).toMatchObject({ code: 1, err: expect.stringContaining("cut short after 1 lines") as string });
    expect(await readdir(folder)).not.toContain("cut.ndjson");
    expect(await readdir(folder)).not.toContain("cut.ndjson.partial");
    cut.server.close();
  });

  test("writes a backup that an empty domain takes", { timeout: 120_000 }, async () => {
    expect((await tidegate(["backup"])).code).toBe(2);
    const shop = await bundle(resolve(import.meta.dirname, "../../wrangler.jsonc"));
    const [full, empty] = await Promise.all(
      [0, 1].map(async () => serve({ bundle: shop, port: await freePort(), token: TOKEN })),
    );
    const [from, to] = [{ TIDEGATE_URL: full?.url ?? "" }, { TIDEGATE_URL: empty?.url ?? "" }];
    try {
      await tidegate(["call", "account", "carol", "deposit", '{"amount":3}'], { env: from });
      expect((await tidegate(["backup", "--out", "all.backup"], { env: from })).code).toBe(0);
      expect(await tidegate(["restore", "all.backup"], { env: to })).toMatchObject({ code: 0 });
      const balance = async () => (await tidegate(["call", "account", "carol", "balance"], { env: to })).out;
      await expect.poll(balance).toBe('{"balance":3}');
      expect(await tidegate(["restore", "all.backup"], { env: from })).toMatchObject({
        code: 1,
        err: expect.stringContaining("domain-not-empty") as string,
      });
    } finally {
      await Promise.all([full?.stop(), empty?.stop()]);
    }
    expect(await tidegate(["restore", "none.backup"])).toMatchObject({ code: 1 });
  });

  test("grows and shrinks, and waits for it", async () => {
    const grown = await tidegate(["grow", "6"]);
    expect([grown.code, JSON.parse(grown.out)]).toMatchObject([0, { partitions: 6, phase: "still" }]);
    expect((await tidegate(["grow", "4"])).code).toBe(0);
    expect((await tidegate(["grow", "none"])).code).toBe(2);
  });
});

describe("check", () => {
  test("finds the app compatible with itself, and tells what would break", async () => {
    const response = await fetch(`${server.url}/openapi.json`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const document = (await response.json()) as { paths: Record<string, unknown> };
    await writeFile(join(folder, "same.json"), JSON.stringify(document));
    expect(await tidegate(["check", "--next", "same.json"])).toEqual({ code: 0, out: "", err: "compatible" });
    delete document.paths["/v1/services/account/{key}/withdraw"];
    await writeFile(join(folder, "less.json"), JSON.stringify(document));
    expect(await tidegate(["check", "--next", "less.json"])).toEqual({
      code: 1,
      out: "POST /v1/services/account/{key}/withdraw: is not there any more",
      err: "1 changes break clients of the deployed app",
    });
    expect(await tidegate(["check", "--next", "none.json"])).toMatchObject({ code: 1 });
    expect(await tidegate(["check"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("wrangler is not installed here") as string,
    });
  });
});

test("check starts the app of a folder and asks that one", { timeout: 120_000 }, async () => {
  const env = { ...(process.env as Record<string, string>), TIDEGATE_URL: server.url, TIDEGATE_TOKEN: TOKEN };
  const said = await tidegate(["check"], { env, cwd: dirname(CONFIG) });
  expect(said).toEqual({ code: 0, out: "", err: "compatible" });
});

describe("verify", () => {
  test("finds a sound domain sound, and leaves nothing there", { timeout: 60_000 }, async () => {
    const said = await tidegate(["verify", "--transactions", "300", "--seconds", "30", "--seed", "5"]);
    expect([said.code, said.err]).toEqual([0, ""]);
    expect(JSON.parse(said.out)).toMatchObject({
      verdict: "strictly serializable",
      findings: 0,
      unknown: 0,
      total: { expected: 2_000, found: 2_000 },
      seed: 5,
    });
    const left = await tidegate(["export", "tidegate-accounts"]);
    expect(left).toMatchObject({ code: 0, out: "" });
  });

  test("sees a lost append and a wrong sum", { timeout: 60_000 }, async () => {
    const lying = await forging((path, body) => {
      if (path.includes("/readAll") || path.includes("/perform")) return body.replace(/\[(\d+),(\d+)/, "[$2");
      return path.includes("/balances") ? body.replace(/\d+/, (text) => String(Number(text) + 1)) : body;
    });
    const said = await tidegate(["verify", "--transactions", "200", "--seconds", "30", "--url", lying.url]);
    lying.server.close();
    expect(said.code).toBe(1);
    expect(JSON.parse(said.out)).toMatchObject({ verdict: "violated" });
    expect(said.err).toContain("wrong-total");
    expect(said.err).toMatch(/incompatible-order|lost|G|unwritten|internal/);
  });

  test("says what an app lacks", async () => {
    const problem = '{"type":"/problems/unknown-service","title":"x","status":404}';
    const lacking = await answering(problem, 404, "application/problem+json");
    expect(await tidegate(["verify", "--url", lacking.url])).toMatchObject({
      code: 1,
      err: expect.stringContaining("tidegate/verify") as string,
    });
    lacking.server.close();
  });
});

test("init makes an app under its own name, and only in an empty folder", async () => {
  expect(await tidegate(["init", "My App!"])).toMatchObject({
    code: 0,
    out: expect.stringContaining("npm run dev") as string,
  });
  const made = join(folder, "My App!");
  expect(JSON.parse(await readFile(join(made, "package.json"), "utf8"))).toMatchObject({ name: "my-app" });
  expect(await readFile(join(made, "wrangler.jsonc"), "utf8")).toContain('"name": "my-app"');
  expect(await readdir(made)).toContain(".gitignore");
  expect(await tidegate(["init", "My App!"])).toMatchObject({
    code: 1,
    err: expect.stringContaining("not empty") as string,
  });
  await mkdir(join(folder, "---"));
  expect((await tidegate(["init", "---/"])).code).not.toBe(0);
});

/** A server that answers everything alike. */
async function answering(
  body: string,
  status = 200,
  type = "application/x-ndjson",
): Promise<{ url: string; server: Server }> {
  return listening(
    createServer((_request, response) => void response.writeHead(status, { "content-type": type }).end(body)),
  );
}

/** Hands requests on to the app, and answers back after changing them. */
async function forging(change: (path: string, body: string) => string): Promise<{ url: string; server: Server }> {
  return listening(
    createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const headers = Object.fromEntries(
        ["authorization", "content-type", "idempotency-key"].flatMap((name) => {
          const value = request.headers[name];
          return typeof value === "string" ? [[name, value]] : [];
        }),
      );
      const method = request.method ?? "GET";
      const answer = await fetch(server.url + request.url, {
        method,
        headers,
        ...(method === "POST" ? { body: Buffer.concat(chunks) } : {}),
      });
      const text = await answer.text();
      const type = answer.headers.get("content-type") ?? "application/json";
      response.writeHead(answer.status, { "content-type": type }).end(change(request.url ?? "", text));
    }),
  );
}

async function listening(made: Server): Promise<{ url: string; server: Server }> {
  await new Promise<void>((done) => made.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(made.address() as AddressInfo).port}`, server: made };
}
