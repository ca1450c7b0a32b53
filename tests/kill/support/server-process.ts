/** A server in a process group of its own: `node server-process.ts <bundle> <port> <persist> <token>`. Prints the URL once it serves. */
import { readFile } from "node:fs/promises";
import type { Bundle } from "../../../scripts/lib/bundle.ts";
import { serve } from "../../../scripts/lib/local-server.ts";

/** A bundle as JSON: each module's contents in base64. */
export type StoredBundle = ReadonlyArray<{ name: string; type: "ESModule" | "CompiledWasm"; contents: string }>;

async function load(path: string): Promise<Bundle> {
  const stored = JSON.parse(await readFile(path, "utf8")) as StoredBundle;
  return { modules: stored.map((module) => ({ ...module, contents: Buffer.from(module.contents, "base64") })) };
}

const [, , bundlePath, port, persist, token] = process.argv;
if (bundlePath === undefined || port === undefined || persist === undefined || token === undefined) {
  throw new Error("bundle, port, persist and token are needed");
}
const { url } = await serve({ bundle: await load(bundlePath), port: Number(port), persist, token });
console.log(url);
