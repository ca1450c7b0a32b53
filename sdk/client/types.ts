/** The types of a client, derived from contracts: services as members, functions as methods, results as JSON shows them. */

import type { Contract, FunctionContract } from "../contract.ts";
import type { Duration } from "../duration.ts";
import type { ArgumentsOf } from "../infer.ts";
import type { JsonInputOf, JsonOf } from "../json.ts";
import type { OutputOf } from "../infer.ts";
import type { Problem } from "../problems.ts";
import type { SchemaOutput } from "../schema.ts";

/** Contracts as `createClient` takes them; the members' names do not matter, the contracts' own names do. */
export type Contracts = Readonly<Record<string, Contract>> | readonly Contract[];
export type ContractIn<C extends Contracts> = Only<C extends readonly (infer One)[] ? One : C[keyof C]>;
/** A filter and not an intersection, which would let in every function name. */
type Only<T> = T extends Contract ? T : never;

/** `shopping-cart` to `ShoppingCart` but for the first letter: the member that a service has on the client. */
export type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** The services of a client: `client.account("alice").deposit({ amount: 5 })`. */
export type Services<C extends Contracts> = {
  readonly [One in ContractIn<C> as CamelCase<One["name"]>]: (key: string) => ServiceClient<One>;
};
export type ServiceClient<C extends Contract> = {
  readonly [N in keyof C["functions"]]: FunctionClient<C["functions"][N]>;
};

/** One function of one key; a message can be sent to what may write. */
export type FunctionClient<F extends FunctionContract> = F["kind"] extends "query"
  ? Call<F>
  : Call<F> & {
      /** Asks for the function one-way: resolves once the message is durable; it is delivered once, as a transaction of its own. */
      send(...args: CallArguments<F, SendOptions>): Promise<Sent>;
    };
/** A message is kept. A delayed one can be cancelled by its id. */
export interface Sent {
  readonly id: string;
}

/** Throws `RefusalError`, `ProblemError` or `UnreachableError`. */
interface Call<F extends FunctionContract> {
  (...args: CallArguments<F>): Promise<JsonOf<OutputOf<F>>>;
  /** The same, but a declared refusal is a value; other failures still throw. */
  try(...args: CallArguments<F>): Promise<Outcome<F>>;
}
type CallArguments<F extends FunctionContract, Options = CallOptions> =
  ArgumentsOf<F> extends []
    ? [input?: undefined, options?: Options]
    : [...input: JsonArguments<ArgumentsOf<F>>, options?: Options];
type JsonArguments<A extends readonly unknown[]> = { [N in keyof A]: JsonInputOf<A[N]> };

/** Outcome of `.try`: `refusal` tells which. */
export type Outcome<F extends FunctionContract> =
  | { readonly ok: true; readonly value: JsonOf<OutputOf<F>> }
  | {
      [N in keyof F["refusals"] & string]: {
        readonly ok: false;
        readonly refusal: N;
        readonly data: RefusalData<F, N>;
      };
    }[keyof F["refusals"] & string];
export type RefusalData<F extends FunctionContract, N extends keyof F["refusals"]> = JsonOf<
  SchemaOutput<F["refusals"][N]>
>;

export interface CallOptions {
  /** The request's identity: the same key, function and body answer the same, once. Default: a new random one per call. */
  readonly idempotencyKey?: string;
  /** Ends the wait. The request may still take effect. */
  readonly signal?: AbortSignal;
  /**
   * For queries: `snapshot` takes no locks and may be stale, though never older than what this client has read or written before.
   * Default `fresh`.
   */
  readonly consistency?: "fresh" | "snapshot";
}

export interface SendOptions extends Omit<CallOptions, "consistency"> {
  /** Delivered so much later: milliseconds, or text such as `"30s"`. */
  readonly delay?: Duration;
  /** Delivered then, or at once when that has passed: milliseconds since 1970. Not together with `delay`. */
  readonly at?: number | Date;
}

export interface ClientOptions {
  /** Bearer token. */
  readonly token?: string | (() => string | Promise<string>);
  /** Whose domain it is about, for the owner of an app with tenants; other tokens name their own. */
  readonly tenant?: string;
  /** Default: the global `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Repetitions after the first attempt, all with the same Idempotency-Key. Default 4. */
  readonly retries?: number;
  /** Milliseconds without an answer, or between two chunks of a streamed one, after which an attempt is given up. Default 30,000. */
  readonly timeoutMs?: number;
}

/** One line of a batch; each is a transaction of its own, and lines with the same key run in order. */
export type BatchLine<C extends Contracts> = LinesOf<ContractIn<C>>;
type LinesOf<C extends Contract> = C extends Contract
  ? {
      [N in keyof C["functions"] & string]: BatchCall<C["name"], N, JsonArguments<ArgumentsOf<C["functions"][N]>>>;
    }[keyof C["functions"] & string]
  : never;
type BatchCall<Service extends string, Name extends string, Arguments extends readonly unknown[]> = {
  readonly service: Service;
  readonly key: string;
  readonly function: Name;
  /** Identity of the line within the batch's Idempotency-Key. Default: its number. */
  readonly id?: string;
} & (Arguments extends []
  ? { readonly input?: undefined }
  : Arguments extends [infer I]
    ? { readonly input: I }
    : { readonly input?: Arguments[0] });

/** Result of one line; `line` counts from 1. `replayed`: it was executed before, under the same identity. */
export type BatchResult =
  | { readonly line: number; readonly status: 200; readonly result: unknown; readonly replayed?: true }
  | { readonly line: number; readonly status: number; readonly problem: Problem; readonly replayed?: true };

export interface BatchOptions {
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  /** Results in the order of lines instead of completion. */
  readonly ordered?: boolean;
}

export interface ReadOptions {
  /** Id of the last event that one has: those behind it are read. `"-1"`: all that are kept. Default: those that are yet to come. */
  readonly after?: string;
  /** False: ends where no more are there. Default true: waits for more. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}
/** One committed event of a stream. */
export interface StreamEvent<Event> {
  /** For `after`, when one goes on later. */
  readonly id: string;
  readonly event: Event;
}

/** Answer to an ingested batch of events. */
export interface Accepted {
  readonly accepted: number;
  /** Late events by flow, also of flows behind those that read the stream: counted, not applied. */
  readonly late: Readonly<Record<string, number>>;
}

export interface ViewOptions {
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
  /** A member of the rows that is a number: those with its greatest values, greatest first. */
  readonly top?: string;
  readonly signal?: AbortSignal;
}
/** Rows of a view. Whole numbers beyond 2^53 are bigint. */
export interface ViewPage<Row> {
  readonly rows: Row[];
  /** Windows that end at or before it are closed. */
  readonly watermark: number | bigint | null;
  /** Events that the flow has taken, the late ones among them, and the batches they came in. */
  readonly events: number;
  readonly late: number;
  readonly batches: number;
  /** Cursor of the next page, when there is one. */
  readonly next?: string;
}
