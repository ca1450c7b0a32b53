/** A shell of one person: commands one after the other, in whatever folder and with whatever variables they leave. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const END = "--end-of-command--";

export class Shell {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #complaints: string[] = [];

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    const child = spawn("bash", ["--norc", "-u"], { cwd, env, stdio: "pipe", detached: true });
    this.#process = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.on("data", (text: Buffer) => this.#complaints.push(text.toString()));
  }

  /** Runs one line and returns what it says. @throws with all that it said when it fails */
  async run(command: string): Promise<string> {
    this.#complaints.length = 0;
    this.#process.stdin?.write(`${command}\nprintf '\\n%s %s\\n' "${END}" "$?"\n`);
    const said: string[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`the shell ended at: ${command}\n${said.join("\n")}${this.#complaints.join("")}`);
      if (!value.startsWith(END)) said.push(value);
      else if (value === `${END} 0`) return said.join("\n").trim();
      else throw new Error(`failed: ${command}\n${said.join("\n")}\n${this.#complaints.join("")}`);
    }
  }

  /** Ends it with all that it started. */
  async end(): Promise<void> {
    const { pid } = this.#process;
    if (pid === undefined || this.#process.exitCode !== null) return;
    const closed = new Promise((resolve) => this.#process.once("close", resolve));
    process.kill(-pid, "SIGTERM");
    const late = setTimeout(() => process.kill(-pid, "SIGKILL"), 5_000);
    await closed;
    clearTimeout(late);
  }
}
