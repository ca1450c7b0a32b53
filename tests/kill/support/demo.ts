/** Runs the demo as a process of its own, as `npm run demo` does. */
import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TOKEN } from "./process-group.ts";

const script = join(dirname(fileURLToPath(import.meta.url)), "../../../examples/shop/demo/main.ts");

export class Demo {
  readonly #child: ChildProcess;
  readonly #output: string[] = [];
  /** The exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  running = true;

  /** @param data folder of the demo's history */
  constructor(url: string, data: string, options: readonly string[]) {
    const args = [script, "--url", url, "--token", TOKEN, "--data", data, ...options];
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (data: Buffer) => this.#output.push(data.toString()));
    this.ended = new Promise((resolve) =>
      this.#child.on("close", (code) => {
        this.running = false;
        resolve(code);
      }),
    );
  }

  get output(): string {
    return this.#output.join("");
  }

  /** How often it has said something so far. */
  times(text: string): number {
    return this.output.split(text).length - 1;
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}
