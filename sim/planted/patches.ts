/**
 * Changes of source text that are made when a module is loaded, before its types are stripped: the files themselves, and with them the
 * production bundle, have no trace of them. They reach only modules that are loaded after `applyPatches`.
 */
import { registerHooks } from "node:module";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export interface Patch {
  /** Path from the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** @throws when `find` does not stand in the text exactly once: the code has changed and the patch must follow */
export function patched(text: string, { file, find, replace }: Patch): string {
  const count = text.split(find).length - 1;
  if (count !== 1) throw new Error(`${file} has ${count} times what a patch looks for: ${JSON.stringify(find)}`);
  return text.replace(find, () => replace);
}

/** The file as it stands, with its patch. */
export function patchedFile(patch: Patch): string {
  return patched(readFileSync(join(ROOT, patch.file), "utf8"), patch);
}

export function applyPatches(patches: readonly Patch[]): void {
  const byUrl = new Map<string, Patch[]>();
  for (const patch of patches) {
    const url = pathToFileURL(join(ROOT, patch.file)).href;
    byUrl.set(url, [...(byUrl.get(url) ?? []), patch]);
  }
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const mine = byUrl.get(url);
      if (!mine || loaded.source === undefined || loaded.source === null) return loaded;
      const { source } = loaded;
      const text = typeof source === "string" ? source : new TextDecoder().decode(source);
      return { ...loaded, source: mine.reduce(patched, text) };
    },
  });
}
