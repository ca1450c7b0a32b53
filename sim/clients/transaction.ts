/** One transaction that a client asks for. */
import type { FlowAsk } from "../flows/asks.ts";
import type { Settling } from "./promise-service.ts";
import type { Micro, Place, Step } from "./steps.ts";
import type { SlateInput, SlateName } from "./slate-service.ts";
import type { Tour } from "./tour-service.ts";
import type { UseInput, UseName } from "./use-service.ts";

export type Ask =
  | FlowAsk
  | {
      readonly kind: "list";
      readonly at: Place;
      readonly name: "run" | "look";
      readonly steps: readonly Step[];
      /** By the class of the program, for people and totals. */
      readonly shape: string;
      /** Every append under a call that may be undone included. */
      readonly appends: readonly Micro[];
    }
  | {
      readonly kind: "transfer";
      readonly from: string;
      readonly to: string;
      readonly amount: number;
      readonly pause: number;
    }
  /** What sends messages for later, or cancels some; with a delay it is itself such a message. */
  | {
      readonly kind: "clock";
      readonly at: string;
      readonly name: "later" | "drop" | "ring" | "give";
      readonly input: object | number;
    }
  /** Cancels from outside the message that the answer to a transaction named, by the number of that. */
  | { readonly kind: "cancel"; readonly of: number }
  /** Makes a schedule or ends one, and all that a key has made of them and was sent by them. */
  | { readonly kind: "tick"; readonly at: string; readonly name: "arrange" | "end"; readonly input: object }
  | { readonly kind: "ticks-seen"; readonly at: string }
  /** Adds to what a service keeps whose code is deployed anew meanwhile, and all that a key has of it. */
  | { readonly kind: "add"; readonly at: string; readonly n: number }
  | { readonly kind: "deployed-seen"; readonly at: string }
  /** Comes to what lives only while it is used. */
  | { readonly kind: "use"; readonly at: string; readonly name: UseName; readonly input: UseInput }
  /** What asks for an effect. */
  | { readonly kind: "effect"; readonly at: string; readonly input: object }
  /** All that a key has asked for and was told. */
  | { readonly kind: "effects-seen"; readonly at: string }
  /** What starts a saga, and all that was noted of sagas. */
  | { readonly kind: "trip"; readonly at: string; readonly input: object }
  | { readonly kind: "trips-seen"; readonly at: string }
  /** What makes a promise of an id, an event that settles one, and a look at one. */
  | { readonly kind: "park"; readonly at: string; readonly id: string; readonly input: object }
  | { readonly kind: "settle"; readonly id: string; readonly input: Settling }
  | { readonly kind: "promise"; readonly id: string }
  /** All that a key has made and was told of promises. */
  | { readonly kind: "promises-seen"; readonly at: string }
  /** What starts a saga that may end anywhere, what is asked about its run, and all that was noted of such. */
  | { readonly kind: "tour"; readonly at: string; readonly input: Tour }
  | { readonly kind: "tour-run"; readonly n: number; readonly name: "cancel" | "status" | "retry" }
  | { readonly kind: "tours-seen"; readonly at: string }
  /** Writes to a key, or clears it, and what of that is kept for later. */
  | { readonly kind: "slate"; readonly at: string; readonly name: SlateName; readonly input: SlateInput }
  | { readonly kind: "slates-seen"; readonly at: string }
  /** The transaction by which an administrator erases a key. */
  | { readonly kind: "erase"; readonly key: string }
  /** Comes to what does not live long. */
  | { readonly kind: "touch"; readonly at: string; readonly n: number }
  /** What an operator asks about the dead letters of a service. */
  | { readonly kind: "dead"; readonly service: string; readonly name: "list" | "redrive"; readonly input: string }
  /** All that a key has sent for later and received. */
  | { readonly kind: "clock-seen"; readonly at: string }
  /** Messages that a list has sent and received. */
  | { readonly kind: "messages"; readonly at: Place }
  | { readonly kind: "audit"; readonly at: string; readonly accounts: readonly string[] };

export interface Transaction {
  /** Its position in the plan: part of its request id. */
  readonly number: number;
  readonly ask: Ask;
  /** May be stale and takes no locks. Only of queries. */
  readonly snapshot: boolean;
  /** By a client's Idempotency-Key; else the edge makes the id. */
  readonly clientId: boolean;
  /** ms that its client waits before it asks. */
  readonly after: number;
  /** Answered when it is kept, and run later. */
  readonly oneWay?: boolean;
  /** ms after which that is to be. */
  readonly delay?: number;
  /** ms after which its client asks again under the same id, whether it was answered or not. */
  readonly again?: readonly number[];
}

/** What one client asks for, one group after the other; a group is one frame for one partition. */
export type ClientPlan = ReadonlyArray<readonly Transaction[]>;
