/** `.dev.vars`: secrets for local work, as wrangler reads them. */

export const VARS_FILE = ".dev.vars";

/** Names and values of lines such as `NAME=value`, of which the last counts. */
export function varsIn(text: string): Record<string, string> {
  const vars: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const [, name, value = ""] = /^\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined) vars[name] = value.replace(/^(["'])(.*)\1$/, "$2");
  }
  return vars;
}
