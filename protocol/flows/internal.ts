/** Internal services: functions of the engine's own that run as transactions like any other, which no client and no user code can name. */
import type { ShardStore } from "../../dataflow/operators/store.ts";
import type { Contract } from "../../sdk/contract.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import type { EffectDefinition } from "../../sdk/effect.ts";
import type { Reply } from "../../sdk/reply.ts";
import type { FlowDefinition } from "../../sdk/flow.ts";
import { FIRST_VERSION, type ServiceDefinition } from "../../sdk/service.ts";
import { servicePrefix } from "../state/state-key.ts";
import type { Peer } from "../wire/messages.ts";
import type { Payload, RawJson } from "./payload.ts";

/** What an internal function is given. */
export interface FlowContext {
  readonly key: string;
  /** The value under its key; undefined while there is none. */
  state: unknown;
  readonly store: ShardStore;
  /** The partition that a key is on. It stays there as long as this transaction runs. */
  placeOf(key: string): Peer;
  /** Whether the code of a partition knows how to be called for several shares. */
  takesShares(place: Peer): boolean;
  /** Deletes the value and all entries. */
  clear(): void;
  /** Server time of the transaction, ms. */
  now(): number;
  uuid(): string;
  /**
   * How often this transaction was too large before: of a root, which begins again for it so many times at most, so as to do less. One that took
   * longer than a transaction may counts for the next root of the function.
   */
  tooLarge(most: number): number;
  /** Calls a function of this very service and key at a time (ms since 1970), in a transaction of its own. */
  later(name: string, at: number): void;
  /** Calls an internal function, in this transaction. */
  ask(service: string, key: string, name: string, payload: Payload): Promise<Payload>;
  /** Functions of the app's services, as user code calls them. */
  call(contract: Contract, key: string): Record<string, (input?: unknown) => Promise<unknown>>;
  try(contract: Contract, key: string): Record<string, (input?: unknown) => Promise<unknown>>;
  send(contract: Contract, key: string): Record<string, (input?: unknown) => void>;
  /** Asks for an effect, which leaves when the transaction commits; `to` is told its end, once. */
  effect(effect: EffectDefinition, input: unknown, to: Reply): void;
}

/** The input of a root: bytes of a batch, or text of a message or a query. */
export interface RootInput {
  readonly bytes?: Uint8Array | undefined;
  readonly text?: string | undefined;
}
export type InternalHandler = (
  ctx: FlowContext,
  input: Payload & RootInput,
) => Promise<Payload | RawJson> | Payload | RawJson;

/** Its inputs and results are no values of users. */
export interface InternalService extends ServiceDefinition {
  readonly given: "flow";
  /** Of the service of streams: those that the app knows. */
  readonly streams?: AppDefinition["streams"];
}

export function isFlowService(service: ServiceDefinition): service is InternalService {
  return service.given === "flow";
}

/**
 * @param queries names of those that only read
 * @param messageAttempts tries at a message to it, where that is not what all have
 */
export function internalService(
  name: string,
  handlers: Readonly<Record<string, InternalHandler>>,
  queries: readonly string[],
  messageAttempts?: number,
): InternalService {
  const functions = Object.fromEntries(
    Object.keys(handlers).map((fn) => {
      const kind: "fn" | "query" = queries.includes(fn) ? "query" : "fn";
      return [fn, { kind, input: undefined, output: undefined, refusals: {} }];
    }),
  );
  return {
    contract: { name, functions },
    state: undefined,
    collections: [],
    handlers: handlers as unknown as ServiceDefinition["handlers"],
    given: "flow",
    allow: {},
    messageAttempts,
    ...FIRST_VERSION,
  };
}

/** An app whose transactions find internal services too. */
export function withInternal(app: AppDefinition, services: readonly InternalService[]): AppDefinition {
  return {
    ...app,
    services: new Map([...app.services, ...services.map((each) => [each.contract.name, each] as const)]),
  };
}

/** Names of internal services: `#` begins none of a user's. */
export const STREAM = "#stream";
export const SHARD = "#shard";
/** Shares of one partition, called together. It keeps nothing. */
export const SHARES = "#shares";
export const VIEW = "#view";
export const EGRESS = "#egress";
/** The stream by whose name a flow's own state is placed. */
export function homeOf({ name, streams }: FlowDefinition): string {
  return streams[0]?.name ?? name;
}
export function flowService(flow: string): string {
  return `#flow:${flow}`;
}

/** The function of a flow's own key that goes on by the clock. */
export const TICK = "tick";

/** All that is stored of flows by their own keys begins with this. */
export const FLOW_PREFIX = flowService("");
/** Whether a state key is of what flows and streams keep. */
export function isOfFlow(stateKey: string): boolean {
  return stateKey.startsWith(FLOW_PREFIX) || KEPT.some((prefix) => stateKey.startsWith(prefix));
}
const KEPT = [STREAM, SHARD].map(servicePrefix);
