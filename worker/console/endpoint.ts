/** `/console`: the page for people. It holds no data and is open; what it shows it asks for with the tokens that it is told. */
import type { Hono } from "hono";
import { PAGE, SCRIPT, STYLE } from "../../console/build/assets.ts";

/** Nothing but the page's own files is run, and nothing but this app is asked. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FILES = [
  ["/console", "text/html; charset=utf-8", PAGE],
  ["/console/app.js", "text/javascript; charset=utf-8", SCRIPT],
  ["/console/app.css", "text/css; charset=utf-8", STYLE],
] as const;

export function addConsole(routes: Hono): void {
  for (const [path, type, text] of FILES) {
    routes.get(path, () => new Response(text, { headers: headersOf(type) }));
  }
}

function headersOf(type: string): Record<string, string> {
  return {
    "content-type": type,
    // The files change with a deploy, and have the same names.
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000",
  };
}
