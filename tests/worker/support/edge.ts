/** The edge under test: routes over a fake back end, asked through real Request objects. */
import type { AppDefinition } from "../../../sdk/app.ts";
import { createRoutes } from "../../../worker/routes.ts";
import { app } from "./app.ts";
import { FakeBackend, TOKEN } from "./backend.ts";

export interface Asked {
  readonly method?: string;
  readonly body?: BodyInit | undefined;
  readonly headers?: Record<string, string>;
  /** Without the token. */
  readonly anonymous?: boolean;
}

export interface ProblemBody {
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  readonly [member: string]: unknown;
}

/** What every answer has, whatever it says. */
export const SAFE_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=63072000",
  "x-content-type-options": "nosniff",
};

export function edge(backend: FakeBackend = new FakeBackend(), definition: AppDefinition = app) {
  const routes = createRoutes(definition, () => backend);
  const ask = async (path: string, { method = "GET", body, headers = {}, anonymous = false }: Asked = {}) => {
    const all = { ...(anonymous ? {} : { authorization: `Bearer ${TOKEN}` }), ...headers };
    const init = { method, headers: all, ...(body === undefined ? {} : { body }), duplex: "half" };
    return routes.fetch(new Request(`https://edge.example${path}`, init));
  };
  const post = (path: string, body?: BodyInit, headers: Record<string, string> = {}) =>
    ask(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
  return { backend, routes, ask, post };
}

/** The problem of an answer, checked to be one in form. */
export async function problemIn(response: Response): Promise<ProblemBody> {
  const problem = (await response.json()) as ProblemBody;
  if (response.headers.get("content-type") !== "application/problem+json")
    throw new Error("not application/problem+json");
  if (problem.status !== response.status)
    throw new Error(`status ${response.status}, but the problem says ${problem.status}`);
  return problem;
}

export interface ResultLine {
  readonly line: number;
  readonly status: number;
  readonly result?: unknown;
  readonly problem?: ProblemBody;
  readonly replayed?: boolean;
}

export async function resultLines(response: Response): Promise<ResultLine[]> {
  const text = await response.text();
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line is not ended");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ResultLine);
}
