/** A workerd process of our own with several Workers in it, each on a port: what is compared runs in the same process, on the same thread. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bundle } from "../../scripts/lib/bundle.ts";

export interface BenchWorker {
  readonly name: string;
  readonly port: number;
  readonly bundle: Bundle;
  readonly classes: readonly string[];
  /** Text bindings. */
  readonly vars?: Readonly<Record<string, string>>;
}

export interface WorkerdProcess {
  /** Of the process that runs now. */
  readonly pid: number;
  /** Seconds of CPU that the process has used, user and system. */
  cpuSeconds(): Promise<number>;
  /** SIGKILL, and a new process on the same data. Resolves when that answers on all ports. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const CLOCK_TICKS = 100;
const START_TIMEOUT_MS = 15_000;

/** @param inspectorPort where debuggers and profilers may attach; nowhere when absent */
export async function startWorkerd(workers: readonly BenchWorker[], inspectorPort?: number): Promise<WorkerdProcess> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-bench-"));
  await writeModules(folder, workers);
  await writeFile(join(folder, "config.capnp"), config(folder, workers));
  const inspector = inspectorPort === undefined ? [] : ["--inspector-addr", `127.0.0.1:${inspectorPort}`];
  const start = (): ChildProcess =>
    spawn("workerd", ["serve", "config.capnp", ...inspector], { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
  let child = start();
  const kill = (): void => void child.kill("SIGKILL");
  const killed = async (): Promise<void> => {
    const exited = new Promise((resolve) => child.once("exit", resolve));
    kill();
    await exited;
  };
  process.once("exit", kill);
  const terminated = (): void => process.exit(1);
  process.once("SIGTERM", terminated);
  await untilReady(child, workers);
  return {
    get pid() {
      return child.pid as number;
    },
    cpuSeconds: async () => cpuOf(await readFile(`/proc/${child.pid}/stat`, "utf8")),
    restart: async () => {
      await killed();
      child = start();
      await untilReady(child, workers);
    },
    stop: async () => {
      await killed();
      process.off("exit", kill);
      process.off("SIGTERM", terminated);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function writeModules(folder: string, workers: readonly BenchWorker[]): Promise<void> {
  for (const { name, bundle } of workers) {
    for (const [index, module] of bundle.modules.entries())
      await writeFile(join(folder, `${name}-${index}`), module.contents);
  }
}

/** Fields 14 and 15 of /proc/pid/stat, counted behind the command's closing parenthesis. */
function cpuOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

async function untilReady(child: ChildProcess, workers: readonly BenchWorker[]): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (const { port } of workers) {
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`workerd ended with ${child.exitCode}`);
      if (Date.now() > deadline) throw new Error("workerd did not start in time");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/health`).then(
    (response) => response.status < 500,
    () => false,
  );
}

function config(folder: string, workers: readonly BenchWorker[]): string {
  const services = workers.map((worker) => `(name = "${worker.name}", worker = .${worker.name})`);
  const disks = workers.map((worker) => `(name = "${worker.name}-disk", disk = (path = "${folder}", writable = true))`);
  const sockets = workers.map(
    ({ name, port }) => `(name = "${name}", address = "127.0.0.1:${port}", http = (), service = "${name}")`,
  );
  return [
    `using Workerd = import "/workerd/workerd.capnp";`,
    `const config :Workerd.Config = (services = [${[...services, ...disks].join(", ")}], sockets = [${sockets.join(", ")}]);`,
    ...workers.map(workerConfig),
  ].join("\n");
}

function workerConfig({ name, bundle, classes, vars = {} }: BenchWorker): string {
  const modules = bundle.modules.map((module, index) => {
    const kind = module.type === "ESModule" ? "esModule" : "wasm";
    return `(name = "${module.name}", ${kind} = embed "${name}-${index}")`;
  });
  const namespaces = classes.map(
    (className) => `(className = "${className}", uniqueKey = "${name}-${className}", enableSql = true)`,
  );
  const bindings = Object.entries(vars).map(([variable, text]) => `(name = "${variable}", text = "${text}")`);
  return (
    `const ${name} :Workerd.Worker = (modules = [${modules.join(", ")}], compatibilityDate = "2026-10-01", ` +
    `bindings = [${bindings.join(", ")}], durableObjectNamespaces = [${namespaces.join(", ")}], durableObjectStorage = (localDisk = "${name}-disk"));`
  );
}
