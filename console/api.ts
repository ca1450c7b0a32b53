/** Requests of the page to the app that served it. */
import { parseExact } from "./exact.ts";
import type {
  AsidePage,
  FlowLetter,
  LateEvent,
  LetterPage,
  OpenApi,
  Overview,
  Recent,
  State,
  ViewPage,
} from "./model.ts";
import type { Session } from "./session.ts";

/** An answer that is a problem (RFC 9457), or none at all: then `status` is 0. */
export class RequestError extends Error {
  readonly status: number;
  readonly type: string;
  readonly problem: Readonly<Record<string, unknown>>;
  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    super(String(problem["detail"] ?? problem["title"] ?? "no answer"));
    this.status = status;
    this.type = String(problem["type"] ?? "");
    this.problem = problem;
  }
}

/** Dead letters of messages that are shown at a time. */
const LETTERS_OF_A_PAGE = 20;

type Role = "token" | "admin";
type Parse = (text: string) => unknown;

/** What came of a call from the form. */
export interface Called {
  readonly key: string;
  readonly status: number;
  readonly body: unknown;
  readonly ms: number;
  readonly replayed: boolean;
  /** Finds the transaction. */
  readonly traceId: string;
}

export class Api {
  readonly session: Session;
  constructor(session: Session) {
    this.session = session;
  }

  overview(): Promise<Overview> {
    return this.#json("admin", "admin/overview");
  }

  openApi(): Promise<OpenApi> {
    // Its numbers are doubles where it is made, and forms need them as numbers: what is exact has no text but its JSON.
    return this.#json("token", "openapi.json", {}, JSON.parse);
  }

  transactions(filter: Readonly<Record<string, string>>): Promise<Recent> {
    return this.#json("admin", `admin/transactions?${query(filter)}`);
  }

  keys(service: string, after: string | null): Promise<{ readonly keys: readonly string[]; readonly next?: string }> {
    return this.#json("admin", `admin/keys?${query({ service, ...(after === null ? {} : { after }) })}`);
  }

  state(service: string, key: string, after: string | null): Promise<State> {
    return this.#json("admin", `admin/state?${query({ service, key, ...(after === null ? {} : { after }) })}`);
  }

  view(name: string): Promise<ViewPage> {
    return this.#json("token", `v1/views/${encodeURIComponent(name)}?limit=20`);
  }

  /** What runs where, and how far each operator is. */
  flow(name: string): Promise<{ readonly explain?: unknown; readonly status?: unknown }> {
    return this.#json("token", `v1/flows/${encodeURIComponent(name)}`);
  }

  /** Messages that failed for good, oldest first. @param cursor the `next` of the page before; null for the first */
  deadLetters(service: string, cursor: string | null): Promise<LetterPage> {
    const page = query({ limit: String(LETTERS_OF_A_PAGE), ...(cursor === null ? {} : { cursor }) });
    return this.#json("token", `v1/dead-letters/${encodeURIComponent(service)}?${page}`);
  }

  redrive(id: string, idempotencyKey: string): Promise<unknown> {
    return this.#act("POST", `v1/dead-letters/${encodeURIComponent(id)}/redrive`, idempotencyKey);
  }

  deleteLetter(id: string, idempotencyKey: string): Promise<unknown> {
    return this.#act("DELETE", `v1/dead-letters/${encodeURIComponent(id)}`, idempotencyKey);
  }

  /** Events that an end of a flow did not take, oldest first. @param after the last id that is known; -1 for the oldest */
  flowLetters(flow: string, after: number, limit: number): Promise<AsidePage<FlowLetter>> {
    return this.#json("token", `${letters(flow)}?${query({ after: String(after), limit: String(limit) })}`);
  }

  /** Gives one to its end again, and takes it from the list. */
  redriveOfFlow(flow: string, id: number, idempotencyKey: string): Promise<unknown> {
    return this.#act("POST", `${letters(flow)}/${id}/redrive`, idempotencyKey);
  }

  deleteOfFlow(flow: string, id: number, idempotencyKey: string): Promise<unknown> {
    return this.#act("DELETE", `${letters(flow)}/${id}`, idempotencyKey);
  }

  /** As the dead letters. */
  lateEvents(flow: string, after: number, limit: number): Promise<AsidePage<LateEvent>> {
    const page = query({ after: String(after), limit: String(limit) });
    return this.#json("token", `v1/flows/${encodeURIComponent(flow)}/late?${page}`);
  }

  saga(saga: string, id: string): Promise<unknown> {
    return this.#json("token", `v1/sagas/${encodeURIComponent(saga)}/${encodeKey(id)}`);
  }

  /** Calls a function as the owner, traced. Problems are answers here. */
  async call(service: string, key: string, name: string, input: unknown, idempotencyKey: string): Promise<Called> {
    const traceId = hex(16);
    const started = performance.now();
    const response = await this.#send("token", `v1/services/${service}/${encodeKey(key)}/${name}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        traceparent: `00-${traceId}-${hex(8)}-01`,
        ...(idempotencyKey === "" ? {} : { "idempotency-key": quoted(idempotencyKey) }),
      },
      body: input === undefined ? null : JSON.stringify(input),
    });
    const text = await response.text();
    return {
      key,
      status: response.status,
      body: parsed(text),
      ms: performance.now() - started,
      replayed: response.headers.get("idempotency-replayed") === "true",
      traceId,
    };
  }

  #act(method: "POST" | "DELETE", path: string, idempotencyKey: string): Promise<unknown> {
    return this.#json("token", path, { method, headers: { "idempotency-key": quoted(idempotencyKey) } });
  }

  async #json<T>(role: Role, path: string, init: RequestInit = {}, parse: Parse = parseExact): Promise<T> {
    const response = await this.#send(role, path, init);
    const body = parsed(await response.text(), parse);
    if (!response.ok) throw new RequestError(response.status, isObject(body) ? body : {});
    return body as T;
  }

  async #send(role: Role, path: string, init: RequestInit): Promise<Response> {
    const { tenant } = this.session;
    checkPrintable(this.session[role], "A token");
    const headers = {
      authorization: `Bearer ${this.session[role]}`,
      // Headers have no encoding that all agree on, and drop spaces at their ends.
      ...(tenant === "" ? {} : { "tidegate-tenant": tenant.replace(/[^!-$&-~]/gu, encodeURIComponent) }),
      ...(init.headers as Record<string, string> | undefined),
    };
    try {
      return await fetch(new URL(path, new URL("./", location.href)), { ...init, headers });
    } catch {
      throw new RequestError(0, { title: "The app does not answer" });
    }
  }
}

/** Whether the app's version does not have what was asked for. */
export function isNotThere(error: unknown): boolean {
  return error instanceof RequestError && error.type === "/problems/not-found";
}

function letters(flow: string): string {
  return `v1/flows/${encodeURIComponent(flow)}/dead-letters`;
}

function query(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams(parameters).toString();
}

/** A key's path segment: `~` and base64url for those that addresses swallow. */
function encodeKey(key: string): string {
  if (!/^\.{1,2}$|^~|[/\\%\p{Cc}]/u.test(key)) return encodeURIComponent(key);
  const bytes = new TextEncoder().encode(key);
  const text = btoa(String.fromCharCode(...bytes));
  return `~${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** What no header carries would end in the browser, as if the app were not there. @throws RequestError */
function checkPrintable(text: string, name: string): void {
  if (!/^[ -~]+$/.test(text)) throw new RequestError(0, { title: `${name} is printable ASCII` });
}

function quoted(text: string): string {
  checkPrintable(text, "An Idempotency-Key");
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function hex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}

function parsed(text: string, parse: Parse = parseExact): unknown {
  try {
    return text === "" ? null : parse(text);
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
