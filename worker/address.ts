/** Raw addresses: path segments and query parameters as they were sent, since a router's decoding would change keys. */
import { refuse } from "./problems.ts";

/** The path of an absolute URL, undecoded. */
export function rawPath(url: string): string {
  const start = pathStart(url);
  return start === url.length ? "/" : url.slice(start, pathEnd(url, start));
}

/** The last `count` segments of the path, undecoded, so that it does not matter below which path the routes are mounted. */
export function lastSegments(url: string, count: number): string[] {
  const path = rawPath(url);
  const segments: string[] = [];
  let end = path.length;
  while (segments.length < count) {
    const slash = path.lastIndexOf("/", end - 1);
    segments.unshift(path.slice(slash + 1, end));
    end = slash;
  }
  return segments;
}

/**
 * The first query parameter of this name, decoded as a form field (`+` is a space); undefined when absent.
 * @throws ProblemError `invalid-parameter` for broken percent-encoding
 */
export function queryParameter(url: string, name: string): string | undefined {
  const start = url.indexOf("?");
  if (start < 0) return undefined;
  const hash = url.indexOf("#", start);
  const query = url.slice(start + 1, hash < 0 ? url.length : hash);
  for (const pair of query.split("&")) {
    const equals = pair.indexOf("=");
    if ((equals < 0 ? pair : pair.slice(0, equals)) !== name) continue;
    return formDecode(name, equals < 0 ? "" : pair.slice(equals + 1));
  }
  return undefined;
}

function formDecode(name: string, text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw refuse("invalid-parameter", `the percent-encoding of ?${name}= is not valid UTF-8`);
  }
}

function pathStart(url: string): number {
  const authority = url.indexOf("://") + 3;
  for (let i = authority; i < url.length; i++) {
    const code = url.charCodeAt(i);
    if (code === 0x2f) return i;
    if (code === 0x3f || code === 0x23) return url.length;
  }
  return url.length;
}

function pathEnd(url: string, start: number): number {
  for (let i = start; i < url.length; i++) {
    const code = url.charCodeAt(i);
    if (code === 0x3f || code === 0x23) return i;
  }
  return url.length;
}
