/** `npm test`: builds the core, checks types and style, runs every test, and ends with one line that counts them. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Before any test; each must succeed. */
const CHECKS = ["build", "format:check", "types", "lint"];

interface TestFile {
  readonly name: string;
  readonly status: string;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly endTime: number;
}

/** The part of vitest's JSON report that is counted. */
interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly TestFile[];
}

/** Exit code; output goes to this process's. */
function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const bin = join(root, "node_modules/.bin");
    const env = { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}`, WRANGLER_SEND_METRICS: "false" };
    const child = spawn(command, args, { cwd: root, stdio: "inherit", env });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

async function check(): Promise<string[]> {
  const failed: string[] = [];
  for (const script of CHECKS) {
    const code = await run("npm", ["run", "--silent", script]);
    console.log(`${code === 0 ? "ok" : "FAILED"}: npm run ${script}`);
    if (code !== 0) failed.push(script);
  }
  return failed;
}

/** Arguments are passed on to vitest: `npm test -- tests/sdk`. */
async function test(args: readonly string[]): Promise<{ code: number; report: Report | null }> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-test-"));
  const file = join(folder, "report.json");
  try {
    const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${file}`];
    const code = await run("vitest", ["run", ...reporters, ...args]);
    const report = await readFile(file, "utf8").then(
      (text) => JSON.parse(text) as Report,
      () => null,
    );
    return { code, report };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function slowest(files: readonly TestFile[]): string {
  const seconds = (file: TestFile): number => (file.endTime - file.startTime) / 1000;
  return [...files]
    .sort((a, b) => seconds(b) - seconds(a))
    .slice(0, 8)
    .map((file) => `${relative(root, file.name)} ${seconds(file).toFixed(1)} s`)
    .join(", ");
}

const started = performance.now();
const failedChecks = await check();
const { code, report } = await test(process.argv.slice(2));
const seconds = Math.round((performance.now() - started) / 1000);
if (failedChecks.length > 0) console.log(`Checks failed: ${failedChecks.join(", ")}`);
if (report === null) console.log(`Tests: none counted, vitest ended with ${code} after ${seconds} s`);
else {
  const broken = report.testResults.filter(({ status }) => status === "failed").map(({ name }) => name);
  if (broken.length > 0) console.log(`Failed files:\n  ${broken.join("\n  ")}`);
  console.log(`Slowest: ${slowest(report.testResults)}`);
  const skipped = report.numPendingTests + report.numTodoTests;
  const counts = `${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`;
  console.log(`Tests: ${counts} (files ${report.testResults.length}) in ${seconds} s`);
}
const ok = failedChecks.length === 0 && code === 0 && report !== null && report.success && report.numPassedTests > 0;
process.exitCode = ok ? 0 : 1;
