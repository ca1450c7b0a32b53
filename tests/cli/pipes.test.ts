/** `npx tidegate` between other programs: readers that have enough, and files that are not there. */
import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = resolve(import.meta.dirname, "../../cli/main.ts");
/** More than any pipe holds. */
const LINES = 50_000;

let server: Server;
let url: string;

beforeAll(async () => {
  const line = `${JSON.stringify({ key: "a key of some length", value: 1 })}\n`;
  server = createServer((_request, response) => response.end(`${line.repeat(LINES)}{"lines":${LINES}}\n`));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** @param behind of the command, in a shell */
async function tidegate(command: string, behind = ""): Promise<{ readonly err: string; readonly code: string }> {
  const env = { ...process.env, TIDEGATE_TOKEN: "t", TIDEGATE_ADMIN_TOKEN: "t", TIDEGATE_URL: url };
  const script = `("$0" "$1" ${command}; echo "code $?" >&2) ${behind}`;
  const { stderr } = await promisify(execFile)("sh", ["-c", script, process.execPath, MAIN], { env, cwd: "/" });
  const [, err = "", code = ""] = /^([^]*)code (\d+)\n$/.exec(stderr) ?? [];
  return { err, code };
}

test("ends without complaint when nobody reads any more", async () => {
  expect(await tidegate("export account", "| head -n 1")).toEqual({ err: "", code: "0" });
});

test("says in words that a file of events is not there", async () => {
  const { err, code } = await tidegate("ingest visits nowhere.ndjson");
  expect(code).toBe("1");
  expect(err).toContain("the events cannot be read");
  expect(err).not.toContain("    at ");
});
