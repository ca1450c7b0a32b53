/** A page of the documentation that is to be followed literally: its commands and its files, in their order. */

export type Instruction =
  | { readonly kind: "commands"; readonly lines: readonly string[] }
  | { readonly kind: "file"; readonly path: string; readonly text: string };

/** Blocks of `sh`, and blocks of code that name a file in their first line. */
export function instructionsOf(markdown: string): Instruction[] {
  const blocks = markdown.matchAll(/^```(sh|ts|jsonc)\n(.*?)^```$/gms);
  return Array.from(blocks, ([, language, text = ""]): Instruction => {
    if (language === "sh") return { kind: "commands", lines: text.trimEnd().split("\n") };
    const path = /^\/\/ (\S+)\n/.exec(text)?.[1];
    if (path === undefined) throw new Error(`a block of ${language} names no file:\n${text}`);
    return { kind: "file", path, text };
  });
}
