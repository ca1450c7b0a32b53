/** The client: typed calls over HTTP from contracts alone, with identities and retries, and no server code. */

import type { Contract } from "../contract.ts";
import type { FlowDefinition } from "../flow.ts";
import type { EventInput, EventOf, Fields, StreamDefinition } from "../stream.ts";
import { batch } from "./batch.ts";
import { type Binding, fetchThrough } from "./binding.ts";
import {
  type DeadLettersClient,
  deadLettersClient,
  type FlowDeadLettersClient,
  flowDeadLettersClient,
} from "./dead-letters.ts";
import { readEvents } from "./events.ts";
import { cancel } from "./messages.ts";
import { serviceClient } from "./service.ts";
import { getView, sendEvents } from "./stream.ts";
import { transport } from "./transport.ts";
import type {
  Accepted,
  BatchLine,
  BatchOptions,
  BatchResult,
  ClientOptions,
  Contracts,
  ReadOptions,
  Services,
  StreamEvent,
  ViewOptions,
  ViewPage,
} from "./types.ts";

export type { Binding, BoundRequest } from "./binding.ts";
export { ProblemError, RefusalError, UnreachableError } from "./errors.ts";
export type {
  DeadLetter,
  DeadLetterPage,
  DeadLettersClient,
  DeadLetterOptions,
  FlowDeadLetter,
  FlowDeadLettersClient,
} from "./dead-letters.ts";
export type {
  Accepted,
  BatchLine,
  BatchOptions,
  BatchResult,
  CallOptions,
  ClientOptions,
  Outcome,
  ReadOptions,
  SendOptions,
  Sent,
  ServiceClient,
  StreamEvent,
  ViewPage,
} from "./types.ts";

/** The members that every client has besides its services. */
export interface Core<C extends Contracts> {
  /** Sends many calls in one request; results in order of completion, unless `ordered`. */
  batch(lines: ReadonlyArray<BatchLine<C>>, options?: BatchOptions): AsyncGenerator<BatchResult, void, void>;
  /** Cancels a message that was sent with `delay` or `at`. False when it is too late for that. */
  cancel(id: string, options?: { readonly signal?: AbortSignal }): Promise<boolean>;
  /** A stream by its definition, typed, or by name. */
  stream<F extends Fields>(stream: StreamDefinition<F>): StreamClient<EventOf<F>, EventInput<F>>;
  stream(name: string): StreamClient<Readonly<Record<string, unknown>>>;
  /** Messages to a service that failed for good. */
  deadLetters(service: string | Contract): DeadLettersClient;
  /** Events that ends of a flow did not take. */
  deadLetters(flow: FlowDefinition): FlowDeadLettersClient;
  /** A view by its flow, typed, or by name. */
  view<Row>(flow: FlowDefinition<Row>): ViewClient<Row>;
  view(name: string): ViewClient<Readonly<Record<string, unknown>>>;
}
export interface StreamClient<Event, Given = Event> {
  /** One batch: taken whole or not at all, exactly once. */
  send(
    events: readonly Given[],
    options?: { readonly idempotencyKey?: string; readonly signal?: AbortSignal },
  ): Promise<Accepted>;
  /** Committed events, each once and in order, of a stream that keeps them. It goes on where it was when the connection breaks. */
  read(options?: ReadOptions): AsyncGenerator<StreamEvent<Event>, void, void>;
}
export interface ViewClient<Row> {
  /** Rows of one key, or of all. */
  get(key?: string | number | bigint | boolean, options?: ViewOptions): Promise<ViewPage<Row>>;
}
export type Client<C extends Contracts> = Core<C> & Services<C>;

/**
 * A client for the services of some contracts: `createClient(url, { Account, Cart }, { token })`. Each contract is a member named after
 * the contract's own name in camel case: `contract("shopping-cart", …)` is `client.shoppingCart(key)`. In another Worker of the account a
 * service binding may take the place of the address: `createClient(env.SHOP, { Account })`.
 * @throws TypeError when two contracts, or a contract and `batch`, `cancel`, `deadLetters`, `stream` or `view`, would be the same member
 */
export function createClient<const C extends Contracts>(
  url: string | Binding,
  contracts: C,
  options: ClientOptions = {},
): Client<C> {
  const line =
    typeof url === "string" ? transport(url, options) : transport("", { fetch: fetchThrough(url), ...options });
  const members: Record<string, unknown> = {
    batch: (lines: readonly object[], batchOptions: BatchOptions = {}) => batch(line, lines, batchOptions),
    cancel: (id: string, { signal }: { signal?: AbortSignal } = {}) => cancel(line, id, signal),
    stream: (stream: string | StreamDefinition): StreamClient<object> => ({
      send: (events, sendOptions) => sendEvents(line, stream, events, sendOptions),
      read: (readOptions) => readEvents(line, typeof stream === "string" ? stream : stream.name, readOptions),
    }),
    deadLetters: (of: string | Contract | FlowDefinition) =>
      typeof of === "object" && "sinks" in of
        ? flowDeadLettersClient(line, of.name)
        : deadLettersClient(line, typeof of === "string" ? of : of.name),
    view: (view: string | FlowDefinition): ViewClient<unknown> => ({
      get: (key, viewOptions) => getView(line, viewName(view), key, viewOptions),
    }),
  };
  for (const contract of Object.values<Contract>(contracts)) {
    const member = camelCase(contract.name);
    if (Object.hasOwn(members, member))
      throw new TypeError(`the client member "${member}" of contract "${contract.name}" is taken`);
    members[member] = (key: string) => serviceClient(line, contract, key);
  }
  return members as unknown as Client<C>;
}

function viewName(view: string | FlowDefinition): string {
  const name = typeof view === "string" ? view : view.view;
  if (name === undefined) throw new TypeError("this flow keeps no view");
  return name;
}

function camelCase(name: string): string {
  const [head = "", ...tail] = name.split("-");
  return head + tail.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join("");
}
