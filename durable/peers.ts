/** The way from one object to others: batches of messages as RPC, whose answer is the incarnation that received them. */
import { exports } from "cloudflare:workers";
import { COORDINATOR, type Peer } from "../protocol/wire/messages.ts";

/** Every object that takes part in the protocol has this method. */
export interface PeerRpc {
  /**
   * Takes a batch of messages. Safe to call twice.
   * @returns the incarnation that received it
   * @throws when this instance or the sender's has been replaced, or there is no room
   */
  deliver(bytes: Uint8Array): Promise<number>;
}

interface Namespace {
  getByName(name: string): PeerRpc;
}

/** Name of the one coordinator of a domain. */
export const COORDINATOR_NAME = "coordinator";

export function partitionName(partition: number): string {
  return `partition-${partition}`;
}

export class Peers {
  readonly #stubs = new Map<Peer, PeerRpc>();

  /** Resolves with the incarnation that received the batch, or null when that is not known. Calls to one peer start in order. */
  async deliver(to: Peer, bytes: Uint8Array): Promise<number | null> {
    const stub = this.#stub(to);
    try {
      return await stub.deliver(bytes);
    } catch {
      // After an error of the platform a stub may be broken for good.
      if (this.#stubs.get(to) === stub) this.#stubs.delete(to);
      return null;
    }
  }

  #stub(to: Peer): PeerRpc {
    const known = this.#stubs.get(to);
    if (known) return known;
    const { Partition, Coordinator } = exports as unknown as { Partition: Namespace; Coordinator: Namespace };
    const stub = to === COORDINATOR ? Coordinator.getByName(COORDINATOR_NAME) : Partition.getByName(partitionName(to));
    this.#stubs.set(to, stub);
    return stub;
  }
}
