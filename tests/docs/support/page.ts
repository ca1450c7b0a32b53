/** The examples of a page as modules that can be imported: what a guide shows is run as it stands. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../../..");

export interface Page {
  /** A module of the page, by the file that its first line names. */
  module<T>(file: string): Promise<T>;
  remove(): Promise<void>;
}

/** Writes out the blocks of TypeScript that name a file. "tidegate" is what a Node program gets of it: all but the app itself. */
export async function openPage(page: string): Promise<Page> {
  const markdown = await readFile(join(ROOT, page), "utf8");
  const folder = await mkdtemp(join(ROOT, "tests/docs/.page-"));
  for (const [, text = ""] of markdown.matchAll(/^```ts\n(.*?)^```$/gms)) {
    const file = /^\/\/ ([\w-]+\.ts)\n/.exec(text)?.[1];
    if (file === undefined) continue;
    const path = join(folder, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text.replaceAll('"tidegate"', JSON.stringify(join(ROOT, "sdk/index.ts"))));
  }
  return {
    module: async <T>(file: string) => (await import(/* @vite-ignore */ join(folder, file))) as T,
    remove: () => rm(folder, { recursive: true }),
  };
}
