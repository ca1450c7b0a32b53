/** Finds what a line of a bundle's main module comes from, by the comments in which esbuild names the file that follows. */
import type { Bundle } from "../../scripts/lib/bundle.ts";

const FILE_COMMENT = /^\s*\/\/ (\S+\.[cm]?[jt]s)$/;

/** From a line, counted from 0, to its source file and its text. */
export function sourceNames(bundle: Bundle): (line: number) => readonly [file: string, text: string] {
  const texts = (bundle.modules[0]?.contents.toString() ?? "").split("\n");
  const files: string[] = [];
  let file = "(bundle)";
  for (const text of texts) {
    const named = FILE_COMMENT.exec(text)?.[1];
    if (named !== undefined) file = shorten(named);
    files.push(file);
  }
  return (line) => [files[line] ?? "(bundle)", texts[line] ?? ""];
}

function shorten(path: string): string {
  return path.replace(/^(\.\.\/)+/, "").replace(/^.*node_modules\//, "npm:");
}
