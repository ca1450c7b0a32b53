/** Starts the server as a process group and kills all of it, workerd included, as a crash of the machine's processes would. */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Bundle } from "../../../scripts/lib/bundle.ts";
import type { StoredBundle } from "./server-process.ts";

export const TOKEN = "test-token";
const script = join(dirname(fileURLToPath(import.meta.url)), "server-process.ts");

export async function storeBundle(bundle: Bundle, path: string): Promise<void> {
  const stored: StoredBundle = bundle.modules.map(({ name, type, contents }) => ({
    name,
    type,
    contents: contents.toString("base64"),
  }));
  await writeFile(path, JSON.stringify(stored));
}

export interface ServerPlace {
  readonly bundlePath: string;
  readonly persist: string;
  readonly port: number;
}

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly log: string[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = new Promise((resolve) => child.on("close", () => resolve()));
    child.stderr?.on("data", (data: Buffer) => this.log.push(data.toString()));
  }

  /** Resolves when it serves. */
  static async start({ bundlePath, persist, port }: ServerPlace): Promise<ServerProcess> {
    const args = [script, bundlePath, String(port), persist, TOKEN];
    // Detached makes it the leader of a group of its own, which workerd joins.
    const child = spawn(process.execPath, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const server = new ServerProcess(child);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on("data", (data: Buffer) => {
        const text = data.toString();
        server.log.push(text);
        if (text.includes("http://")) resolve();
      });
      child.on("close", (code) => reject(new Error(`the server ended with ${code}:\n${server.log.join("")}`)));
    });
    return server;
  }

  /** SIGKILL to the whole group; resolves when it is gone. */
  async kill(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("the server has no process");
    try {
      process.kill(-pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    await this.#closed;
  }
}
