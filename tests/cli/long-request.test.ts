/** Backups and restores of which the answer begins late, breaks off, or comes before all is sent. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { run } from "../../cli/run.ts";

/** More than a connection takes that nobody reads. */
const BACKUP = Buffer.alloc(16 * 1024 * 1024, "b");

let folder: string;
const servers: Server[] = [];
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "tidegate-long-"))));
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

async function tidegate(listener: RequestListener, ...args: readonly string[]) {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = {
    cwd: folder,
    env: { TIDEGATE_ADMIN_TOKEN: "t", TIDEGATE_URL: url },
    stdin: (async function* () {})(),
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
  };
  return { code: await run(args, terminal), out, err: err.join() };
}

/** As fetch does when nothing has come for five minutes; what else is asked is answered at once. */
function impatientFetch(): void {
  const { fetch } = globalThis;
  const gaveUp = () => Promise.reject(new TypeError("fetch failed", { cause: new Error("Headers Timeout Error") }));
  vi.stubGlobal("fetch", (address: string, init: RequestInit) =>
    init.method === "POST" ? gaveUp() : fetch(address, init),
  );
}

describe("an answer is waited for however long it takes", () => {
  beforeEach(impatientFetch);
  const answers: RequestListener = (request, response) => {
    request.resume().once("end", () => response.end(`${request.method} ${request.url}`));
  };

  test("to a backup or restore of a bucket", async () => {
    expect(await tidegate(answers, "backup", "--to", "a b")).toMatchObject({
      code: 0,
      out: ["POST /admin/backup?to=a%20b"],
    });
    expect(await tidegate(answers, "restore", "--from", "n")).toMatchObject({
      code: 0,
      out: ["POST /admin/restore?from=n"],
    });
  });

  test("to those of a file", async () => {
    expect(await tidegate(answers, "backup", "--out", "all")).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, "all"), "utf8")).toBe("POST /admin/backup");
    expect(await tidegate(answers, "restore", "all")).toMatchObject({ code: 0, out: ["POST /admin/restore"] });
  });
});

describe("a restore", () => {
  beforeEach(() => writeFile(join(folder, "all"), BACKUP));

  test("sends the whole file, with the token", async () => {
    const seen: unknown[] = [];
    const { code } = await tidegate(
      (request, response) => {
        let bytes = 0;
        request.on("data", (chunk: Buffer) => void (bytes += chunk.length));
        request.once("end", () => {
          seen.push([request.headers.authorization, bytes]);
          response.end("{}");
        });
      },
      "restore",
      "all",
    );
    expect([code, ...seen]).toEqual([0, ["Bearer t", 0], ["Bearer t", BACKUP.length]]);
  });

  test("of who is not let in says so, and sends nothing", async () => {
    let sent = 0;
    const told = await tidegate(
      (request, response) => {
        if (request.method === "POST") sent += 1;
        response.writeHead(401).end('{"type":"/problems/unauthorized","title":"no","status":401}');
        request.socket.destroySoon();
      },
      "restore",
      "all",
    );
    expect([told.code, told.err, sent]).toEqual([1, expect.stringContaining("401"), 0]);
  });

  test("says that the domain does not answer any more", async () => {
    const told = await tidegate(
      (request, response) => {
        if (request.method === "POST") request.once("data", () => request.socket.destroy());
        else response.end("{}");
      },
      "restore",
      "all",
    );
    expect([told.code, told.err]).toEqual([1, expect.stringContaining("does not answer")]);
  });
});

test("a backup that breaks off is no file", async () => {
  const told = await tidegate(
    (request, response) => {
      response.write("half");
      setTimeout(() => request.socket.destroy(), 20);
    },
    "backup",
    "--out",
    "all",
  );
  expect([told.code, told.err]).toEqual([1, expect.stringContaining("all is not written")]);
  await expect(readFile(join(folder, "all"))).rejects.toThrow("ENOENT");
});

test("an answer of a bucket that breaks off is told of in words", async () => {
  const told = await tidegate(
    (request, response) => {
      response.write("half");
      setTimeout(() => request.socket.destroy(), 20);
    },
    "backup",
    "--to",
    "all",
  );
  expect([told.code, told.err]).toEqual([1, expect.stringContaining("does not answer")]);
});
