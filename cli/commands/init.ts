/** `tidegate init`: a new app from the template. */
import { cp, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { type Command, EXIT, Failure } from "../command.ts";

const TEMPLATE = resolve(import.meta.dirname, "../../templates/starter");
/** npm takes no file of the right name into a package. */
const PACKED_IGNORE = "_gitignore";
/** Of which the template's files name themselves. */
const NAMED_FILES = ["package.json", "wrangler.jsonc"];
const TEMPLATE_NAME = "tidegate-starter";

export const init: Command = {
  summary: "makes a new app: a service, a flow, and tests of both",
  usage: "<folder>",
  takes: [1, 1],
  options: {},
  details: "The folder must be new or empty. Its last part becomes the app's name.",
  async run({ positionals: [given = ""] }, { cwd, out }) {
    const folder = resolve(cwd, given);
    const name = nameFrom(folder);
    const there = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw new Failure(`${given} cannot be made: ${error.message}`);
    });
    if (there.length > 0) throw new Failure(`${given} is not empty; give a new folder`);
    await cp(TEMPLATE, folder, { recursive: true, filter: (source) => basename(source) !== "node_modules" });
    if ((await readdir(folder)).includes(PACKED_IGNORE))
      await rename(join(folder, PACKED_IGNORE), join(folder, ".gitignore"));
    for (const file of NAMED_FILES) {
      const text = await readFile(join(folder, file), "utf8");
      await writeFile(join(folder, file), text.replace(TEMPLATE_NAME, name));
    }
    out(`made ${name}. Next:

  cd ${relative(cwd, folder) || "."}
  npm install
  npm test
  npm run dev`);
    return EXIT.done;
  },
};

/** A name that both npm and Workers take. */
function nameFrom(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 54);
  if (name === "") throw new Failure(`no name can be made of ${basename(folder)}; use letters and digits`);
  return name;
}
