/** What may be known of a world while it runs: for faults that are aimed, coverage, and checks. */
import type { CrashManner, SimObject } from "./object.ts";
import type { Instance } from "./instance.ts";
import type { Rpc } from "./rpc.ts";

// The operations differ between partitions and the coordinator; observers look at their names only.
type AnyObject = SimObject<unknown>;
export type Ops = readonly unknown[];

export interface Observer {
  /** Before each effect of an instance: a manner makes it crash there. */
  boundary?(instance: Instance<unknown>, effect: string): CrashManner | undefined;
  /** Behind the last effect of a turn that had any, before anything of it is confirmed: a manner makes it crash there. */
  turnEnds?(instance: Instance<unknown>): CrashManner | undefined;
  persisted?(instance: Instance<unknown>, ops: Ops): void;
  /** Storage has confirmed something of this instance. */
  confirmed?(instance: Instance<unknown>): void;
  /** These are durable now, in this order over all instances of the object. */
  durable?(object: AnyObject, ops: Ops): void;
  /** A batch has passed the gate. */
  sent?(rpc: Rpc): void;
  /** A batch is about to be handled. */
  receiving?(instance: Instance<unknown>, rpc: Rpc): void;
  /** It is about to hear how an effect ended. */
  outsideEnded?(instance: Instance<unknown>): void;
  started?(instance: Instance<unknown>): void;
  crashed?(instance: Instance<unknown>): void;
}

/** Tells two. Where both may let an instance crash, the first that does decides. */
export function both(one: Observer, other: Observer): Observer {
  return {
    boundary: (instance, effect) => one.boundary?.(instance, effect) ?? other.boundary?.(instance, effect),
    turnEnds: (instance) => one.turnEnds?.(instance) ?? other.turnEnds?.(instance),
    persisted: (instance, ops) => [one.persisted?.(instance, ops), other.persisted?.(instance, ops)],
    confirmed: (instance) => [one.confirmed?.(instance), other.confirmed?.(instance)],
    durable: (object, ops) => [one.durable?.(object, ops), other.durable?.(object, ops)],
    sent: (rpc) => [one.sent?.(rpc), other.sent?.(rpc)],
    receiving: (instance, rpc) => [one.receiving?.(instance, rpc), other.receiving?.(instance, rpc)],
    outsideEnded: (instance) => [one.outsideEnded?.(instance), other.outsideEnded?.(instance)],
    started: (instance) => [one.started?.(instance), other.started?.(instance)],
    crashed: (instance) => [one.crashed?.(instance), other.crashed?.(instance)],
  };
}
