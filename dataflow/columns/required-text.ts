/** What a text must have in it for a regular expression to match, as far as that is easy to see: looking for it is much cheaper than matching. */

/** Shorter ones are in most texts. */
const LEAST = 3;
/** Classes and assertions by a letter; other escapes by letters and digits are not looked into. */
const CLASSES = "dDwWsSbB";

/** The longest run of plain characters that every match has; "" where none is known. */
export function requiredText(source: string, flags: string): string {
  if (/[iv]/.test(flags)) return "";
  const runs: string[] = [];
  let run = "";
  const end = (): void => {
    runs.push(run);
    run = "";
  };
  for (let at = 0; at < source.length; at++) {
    const character = source[at] as string;
    switch (character) {
      case "|":
      case ")":
        return "";
      case "(":
      case "[":
        at = character === "(" ? behindGroup(source, at) : behindClass(source, at);
        if (at < 0) return "";
        end();
        break;
      case "\\": {
        const escaped = source[++at];
        if (escaped === undefined) return "";
        if (!/[A-Za-z0-9]/.test(escaped)) run += escaped;
        else if (CLASSES.includes(escaped)) end();
        else return "";
        break;
      }
      case "*":
      case "?":
      case "{":
        // What is repeated may be there no times at all.
        run = run.slice(0, -1);
        end();
        if (character === "{") at = source.indexOf("}", at);
        if (at < 0) return "";
        break;
      case "+":
      case ".":
      case "^":
      case "$":
        end();
        break;
      default:
        if (!character.isWellFormed()) return "";
        run += character;
    }
  }
  end();
  const longest = runs.reduce((one, other) => (other.length > one.length ? other : one), "");
  return longest.length < LEAST ? "" : longest;
}

/** The place of the bracket that closes the group at `at`, or -1. */
function behindGroup(source: string, at: number): number {
  let open = 0;
  for (let next = at; next >= 0 && next < source.length; next++) {
    const character = source[next];
    if (character === "\\") next++;
    else if (character === "[") {
      next = behindClass(source, next);
      if (next < 0) return -1;
    } else if (character === "(") open++;
    else if (character === ")" && --open === 0) return next;
  }
  return -1;
}

function behindClass(source: string, at: number): number {
  for (let next = at + 1; next < source.length; next++) {
    if (source[next] === "\\") next++;
    else if (source[next] === "]") return next;
  }
  return -1;
}
