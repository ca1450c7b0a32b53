/** A registry on this machine that has one package, and sends whoever asks for another to the real one. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Registry {
  readonly url: string;
  close(): Promise<void>;
}

/** @param manifest the package's own, as it is published */
export async function registryWith(tarball: string, manifest: { name: string; version: string }): Promise<Registry> {
  const { stdout } = await run("npm", ["config", "get", "registry"]);
  const upstream = stdout.trim().replace(/\/$/, "");
  const bytes = await readFile(tarball);
  const { name, version } = manifest;
  let url = "";
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (path === `/${name}`) {
      const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
      const dist = { tarball: `${url}/${name}.tgz`, integrity };
      const packument = { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } };
      response.setHeader("content-type", "application/json").end(JSON.stringify(packument));
    } else if (path === `/${name}.tgz`) response.end(bytes);
    else response.writeHead(307, { location: upstream + path }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
