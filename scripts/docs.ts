/** `npm run docs`: builds the documentation's site in site/dist, with packages of its own. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const SITE = resolve(import.meta.dirname, "../site");

function npm(...args: string[]): void {
  const env = { ...process.env, ASTRO_TELEMETRY_DISABLED: "1" };
  const { status } = spawnSync("npm", args, { cwd: SITE, stdio: "inherit", env });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(join(SITE, "node_modules"))) npm("ci", "--no-audit", "--no-fund");
npm("run", "build");
