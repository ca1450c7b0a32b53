/** Ports for servers that this process starts, or has started, on the loopback. */
import { createServer } from "node:net";
import { PORTS_FROM, PORTS_TO } from "./limits.ts";

/**
 * A port that nobody listens on now, and that the system hands to nobody: it is below those that connections and
 * servers without a port of their own get. One of these can be taken between the answer and its use, and while the
 * server that had it is started again.
 *
 * @throws Error when all ports from `from` until before `to` are taken
 * @example
 * ```ts
 * const port = await freePort();
 * ```
 */
export async function freePort(from = PORTS_FROM, to = PORTS_TO): Promise<number> {
  const count = to - from;
  // Two that look at the same time should not both find the first.
  const first = Math.floor(Math.random() * count);
  for (let tried = 0; tried < count; tried++) {
    const port = from + ((first + tried) % count);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${from} to ${to - 1} is free`);
}

/** Whether nobody listens on a port of the loopback now, and a server could. */
export async function isFree(port: number): Promise<boolean> {
  // A server of somebody else's on one of the two is what "localhost" may lead to.
  return (await isFreeAt(port, "127.0.0.1")) && isFreeAt(port, "::1", ["EADDRNOTAVAIL", "EAFNOSUPPORT"]);
}

/** @param absent what says that the machine has no such address, and so nobody there */
function isFreeAt(port: number, host: string, absent: readonly string[] = []): Promise<boolean> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") done(false);
      else if (absent.includes(error.code ?? "")) done(true);
      else failed(error);
    });
    probe.listen(port, host, () => probe.close(() => done(true)));
  });
}
