/** `npm run build:package`: makes the npm package in dist/, and with `-- --pack` its tarball there too. */
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildPackage, pack } from "./lib/package.ts";

const ROOT = resolve(import.meta.dirname, "..");
const HELP = `npm run build:package -- [options]     makes the npm package

  --out DIR    where; wiped first; default dist
  --pack       also makes the tarball, beside that folder
  --help`;

const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(ROOT, "dist") },
    pack: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(HELP);
else {
  const folder = resolve(values.out);
  await buildPackage(folder);
  console.log(`the package is in ${relative(process.cwd(), folder) || "."}: npm publish it from there`);
  if (values.pack) console.log(relative(process.cwd(), await pack(folder, resolve(folder, ".."))));
}
