/** What a test can do with a domain, whether it runs in workerd or in the simulator. */
import type { Client, ClientOptions } from "../sdk/client/index.ts";
import type { Contracts } from "../sdk/client/types.ts";
import type { Duration } from "../sdk/duration.ts";

/** What loses its memory: all objects, the coordinator, a partition by its number, or the one that keeps a key. */
export type Crashed = "everything" | "coordinator" | number | { readonly key: string };

/** A domain under test. Every method leaves it in working order: a crash loses memory and nothing that was answered. */
export interface TestDomain {
  /** A typed client of the domain, with its token. */
  client<const C extends Contracts>(contracts: C, options?: ClientOptions): Client<C>;
  /** One request, such as `fetch("/openapi.json")`: a path or a whole address, and the token where no `authorization` is given. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /**
   * Takes a batch of events as NDJSON does, and returns how many were accepted. Through a client, `client.stream(Sales).send(events)` does
   * the same and is typed.
   */
  ingest(stream: string, events: readonly object[]): Promise<number>;
  /** Lets time pass, for timers, delayed messages, and windows of processing time: what falls due in it happens. */
  advance(duration: Duration): Promise<void>;
  /** Takes an object's memory away, as a deploy, an eviction or a broken machine would. It starts again from storage. */
  crash(what?: Crashed): Promise<void>;
  /** Resolves when nothing is under way: every message is delivered, and no lock is left. @throws when it does not come to rest */
  drained(): Promise<void>;
  /** Which partition keeps a key: two keys of one partition commit locally, others take an epoch. */
  partitionOf(key: string): Promise<number>;
}

/** Where tests' requests go; no such host exists. */
export const TEST_ORIGIN = "http://tidegate.test";

/** The address of a path or address, and the request with the token where none is given. */
export function requestTo(path: string, init: RequestInit, token: string): [string, RequestInit] {
  const headers = new Headers(init.headers);
  if (!headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
  return [path.startsWith("/") ? TEST_ORIGIN + path : path, { ...init, headers }];
}

/** A line for each event. Whole numbers may be bigint. */
export function eventLines(events: readonly object[]): string {
  return events.map((event) => JSON.stringify(event, raw)).join("\n");
}

/** JSON of any current engine can write a bigint as the number that it is. */
function raw(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? (JSON as unknown as RawJson).rawJSON(String(value)) : value;
}
interface RawJson {
  rawJSON(text: string): unknown;
}

/** Reads the answer to a batch of events. @throws with the problem's text */
export async function acceptedIn(response: Response): Promise<number> {
  const text = await response.text();
  if (!response.ok) throw new Error(`the events were refused: ${response.status} ${text}`);
  return (JSON.parse(text) as { accepted: number }).accepted;
}
