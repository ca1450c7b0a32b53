/** The members of an object that is JSON, each as the text that it is there: numbers that no double holds, and lists that nobody needs to read. */

/** @param json an object without white space between its tokens, as the engine writes it */
export function jsonMembers(json: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (let at = 1; at < json.length - 1;) {
    const colon = endOfString(json, at);
    const end = endOfValue(json, colon + 1);
    members.set(JSON.parse(json.slice(at, colon)) as string, json.slice(colon + 1, end));
    at = end + 1;
  }
  return members;
}

/** Behind the quote that ends it. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Where the comma or the brace is that follows it. */
function endOfValue(json: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < json.length) {
    const token = json[at];
    if (token === '"') {
      at = endOfString(json, at);
      continue;
    }
    if (depth === 0 && (token === "," || token === "}")) return at;
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    at += 1;
  }
  return at;
}
