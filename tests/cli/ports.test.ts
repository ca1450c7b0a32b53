import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { freePort, isFree } from "../../cli/ports.ts";

/** The least port that a system hands out by itself, unless its owner has set another. */
const EPHEMERAL_FROM = 32_768;

function listen(port: number, host = "127.0.0.1"): Promise<Server> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(port, host, () => done(server));
  });
}

test("a port can be listened on, and is none that the system would hand to somebody else", async () => {
  for (let n = 0; n < 20; n++) {
    const port = await freePort();
    expect(port).toBeLessThan(EPHEMERAL_FROM);
    const server = await listen(port);
    expect(await isFree(port)).toBe(false);
    await new Promise((closed) => server.close(closed));
    expect(await isFree(port)).toBe(true);
  }
});

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

test.runIf(hasIpv6)("a port is taken where somebody listens by IPv6 alone", async () => {
  const port = await freePort();
  const server = await listen(port, "::1");
  onTestFinished(() => void server.close());
  expect(await isFree(port)).toBe(false);
});

test("ports that are taken are passed over, until there is none", async () => {
  const from = await freePort();
  const to = from + 4;
  const servers: Server[] = [];
  onTestFinished(() => servers.forEach((server) => server.close()));
  const found = new Set<number>();
  for (;;) {
    const port = await freePort(from, to).catch((error: unknown) => (error as Error).message);
    if (typeof port === "string") {
      expect(port).toBe(`no port from ${from} to ${to - 1} is free`);
      break;
    }
    expect(found).not.toContain(port);
    found.add(port);
    servers.push(await listen(port));
  }
  expect(found.size).toBeGreaterThan(0);
  for (const port of found) expect(port >= from && port < to).toBe(true);
});
