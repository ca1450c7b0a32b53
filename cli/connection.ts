/** The domain that a command talks to: its address and a token, and requests that fail in words. */
import type { Readable } from "node:stream";
import { problemError, ProblemError, RefusalError, UnreachableError } from "../sdk/client/errors.ts";
import { type Transport, transport } from "../sdk/client/transport.ts";
import type { ClientOptions } from "../sdk/client/types.ts";
import { tenantHeader } from "../sdk/client/tenant-header.ts";
import { encodeKey } from "../sdk/keys.ts";
import { Failure, type Given, type Options, type Terminal, text, UsageError } from "./command.ts";
import { localVars, VARS_FILE } from "./dev-vars.ts";
import { PORT_DEFAULT } from "./limits.ts";
import { longPost } from "./long-request.ts";

/** Options of every command that talks to a domain. */
export const CONNECTION: Options = {
  url: { type: "string", value: "URL", help: `the domain; default TIDEGATE_URL, or http://127.0.0.1:${PORT_DEFAULT}` },
  token: { type: "string", value: "TOKEN", help: "better kept in the environment, where others do not see it" },
  tenant: { type: "string", value: "NAME", help: "whose domain, where an app has tenants; default TIDEGATE_TENANT" },
};

export interface Connection {
  readonly url: string;
  /** For a client of one's own. */
  readonly options: ClientOptions;
  /** Repeats what got no answer, like the client. */
  readonly transport: Transport;
  /** One request, not repeated. @throws Failure for no answer, or one that is no success */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** As {@link request}, a POST whose answer may take any time. */
  longPost(path: string, body?: Readable): Promise<Response>;
}

/** @throws UsageError, Failure when there is no token */
export async function connect(
  given: Given,
  { env, cwd }: Terminal,
  secret: "TIDEGATE_TOKEN" | "TIDEGATE_ADMIN_TOKEN" = "TIDEGATE_TOKEN",
): Promise<Connection> {
  const url = addressOf(text(given, "url") ?? env["TIDEGATE_URL"] ?? `http://127.0.0.1:${PORT_DEFAULT}`);
  const found = text(given, "token") ?? env[secret] ?? (isLocal(url) ? (await localVars(cwd)).vars[secret] : undefined);
  // What comes from a file may have the end of its line behind it, which no header would have either.
  const token = found?.trim();
  if (token === undefined || token === "")
    throw new Failure(
      `there is no token for ${url}: set ${secret} in the environment${isLocal(url) ? `, or in ${VARS_FILE} or .env of the app's folder` : ""}`,
    );
  if (!/^[ -~]+$/.test(token)) throw new UsageError("a token is printable ASCII");
  const tenant = text(given, "tenant") ?? env["TIDEGATE_TENANT"];
  const options: ClientOptions = { token, ...(tenant ? { tenant } : {}) };
  return {
    url,
    options,
    transport: transport(url, options),
    request: (path, init) => inWords(url, () => request(url + path, options, init)),
    longPost: (path, body) =>
      inWords(url, async () => successful(await longPost(url + path, headersFor(options), body))),
  };
}

function addressOf(given: string): string {
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`--url is an address such as https://app.example.workers.dev, not "${given}"`);
  // No request takes them, and they are not said again here.
  if (url.username !== "" || url.password !== "")
    throw new UsageError("--url has no user and no password in it: it is the token that opens the domain");
  return given.replace(/\/+$/, "");
}

function isLocal(url: string): boolean {
  return /^(?:127\.0\.0\.1|localhost|\[::1\])$/.test(new URL(url).hostname);
}

async function request(address: string, options: ClientOptions, init: RequestInit = {}): Promise<Response> {
  return successful(await fetch(address, { ...init, headers: headersFor(options, init.headers) }));
}

function headersFor(options: ClientOptions, given?: RequestInit["headers"]): Headers {
  const headers = new Headers(given);
  headers.set("authorization", `Bearer ${String(options.token)}`);
  if (options.tenant !== undefined) headers.set("tidegate-tenant", tenantHeader(options.tenant));
  return headers;
}

/** @throws ProblemError for any other */
async function successful(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw problemError(response.status, await response.text());
}

/** A key in a path. @throws UsageError for what is no key */
export function segmentOf(key: string): string {
  try {
    return encodeKey(key);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Makes of the client's errors what a person is told. @throws Failure */
export async function inWords<T>(url: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (error instanceof RefusalError)
      throw new Failure(`refused: ${error.refusal} ${JSON.stringify(error.data)}`, { cause: error });
    if (error instanceof ProblemError)
      throw new Failure(`${error.status} ${error.type}: ${error.message}`, { cause: error });
    if (error instanceof UnreachableError) {
      const what = error.cause instanceof ProblemError ? "leaves open what happened" : "does not answer";
      const again = error.idempotencyKey === undefined ? "" : ` (its Idempotency-Key: ${error.idempotencyKey})`;
      throw new Failure(`${url} ${what}: ${error.message}${again}`);
    }
    // That of a lost connection has a cause; one without is a mistake in a program.
    if (error instanceof TypeError && error.cause !== undefined)
      throw new Failure(`${url} does not answer: ${String((error.cause as Error).message)}`);
    throw error;
  }
}
