/** `npx tidegate watch`: which rows of a view it prints. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { run } from "../../cli/run.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Answers one page after the other, and at the end no more. @returns what was printed, by looks */
async function watched(...looks: ReadonlyArray<readonly object[]>): Promise<string[][]> {
  const printed: string[][] = [];
  server = createServer((_request, response) => {
    const rows = looks[printed.length];
    printed.push([]);
    response.statusCode = rows === undefined ? 404 : 200;
    response.end(JSON.stringify({ rows, watermark: null }));
  });
  await new Promise<void>((listening) => server?.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const code = await run(["watch", "a-view", "--every", "1"], {
    cwd: "/",
    env: { TIDEGATE_TOKEN: "t", TIDEGATE_URL: url },
    stdin: (async function* () {})(),
    out: (line) => void printed.at(-1)?.push(line),
    err: () => undefined,
  });
  expect(code).toBe(1);
  return printed.slice(0, looks.length);
}

test("all rows of a view without windows, and then those that change", async () => {
  const [a, b, more] = [
    { page: "a", visits: 1 },
    { page: "b", visits: 2 },
    { page: "b", visits: 3 },
  ];
  expect(await watched([a, b], [a, more], [a, b])).toEqual([
    [JSON.stringify(a), JSON.stringify(b)],
    [JSON.stringify(more)],
    [JSON.stringify(b)],
  ]);
});

test("an answer that nobody can make sense of is no mistake of the command line", async () => {
  // `watched` asks for exit code 1.
  expect(await watched({} as never)).toEqual([[]]);
});

test("rows of windows, too", async () => {
  const row = (start: number, visits: number) => ({
    key: "a",
    window: { start, end: start + 60 },
    visits,
    final: false,
  });
  expect(await watched([row(0, 1)], [row(0, 1), row(60, 1)], [row(0, 2), row(60, 1)])).toEqual([
    [JSON.stringify(row(0, 1))],
    [JSON.stringify(row(60, 1))],
    [JSON.stringify(row(0, 2))],
  ]);
});
