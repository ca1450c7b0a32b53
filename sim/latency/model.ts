/** A domain whose messages and storage take a fixed time and nothing else does: what remains is what the protocol makes one wait for. */
import type { Kernels } from "../../core-wasm/types.ts";
import { INVOKE_FLAG } from "../../protocol/wire/invoke.ts";
import { unpackPeer } from "../../protocol/wire/codec.ts";
import { defineApp } from "../../sdk/index.ts";
import { encodeAsk, keyOf } from "../clients/asks.ts";
import { bankService } from "../clients/bank-service.ts";
import { decodeAnswers, encodeRows } from "../clients/frames.ts";
import type { Ask } from "../clients/transaction.ts";
import { partitioner } from "../plan.ts";
import { type CoordinatorInstance, CoordinatorObject } from "../world/coordinator-object.ts";
import { OUTSIDE } from "../world/network.ts";
import { EPOCH_MS, type SimObject } from "../world/object.ts";
import { steady } from "../world/profile.ts";
import { World } from "../world/world.ts";

export interface Timing {
  /** One way, ms. */
  readonly messageMs: number;
  readonly confirmMs: number;
}

/** A round trip of 2 ms, and storage that confirms after 10. */
export const TIMING: Timing = { messageMs: 1, confirmMs: 10 };

export class Model {
  readonly world: World;
  readonly partitionOf: (key: string) => number;
  /** Messages in the batches that objects sent each other, with a call or with the answer to one. */
  messages = 0;
  readonly #kernels: Kernels;
  #requests = 0;

  constructor(kernels: Kernels, partitions: number, { messageMs, confirmMs }: Timing) {
    this.#kernels = kernels;
    this.partitionOf = partitioner(kernels, partitions);
    this.world = new World({
      seed: 1,
      partitions,
      app: defineApp({ services: [bankService()], partitions }),
      kernels,
      profile: steady(messageMs, confirmMs),
      coordinator: (world) => new CoordinatorObject(world, kernels, partitions) as unknown as SimObject<unknown>,
      observer: { sent: ({ bytes }) => void (this.messages += unpackPeer(kernels, bytes).rows - 1) },
    });
    for (const object of this.world.objects) this.world.scheduler.in(0, () => void object.boot());
  }

  /** Accounts of one partition: the first so many of those with numbers. */
  accountsOf(partition: number, count: number): string[] {
    const found: string[] = [];
    for (let n = 0; found.length < count; n++) if (this.partitionOf(`a${n}`) === partition) found.push(`a${n}`);
    return found;
  }

  /** Sends a request as an edge does: under a client's id, or a query under the edge's own. */
  ask(ask: Ask, answered: (status: number) => void, snapshot = false): void {
    this.#requests += 1;
    const isQuery = ask.kind === "audit";
    const id = isQuery ? this.#edgeId() : `c${hex(this.#requests, 31)}`;
    const { at, name, input } = encodeAsk(ask);
    const flags = (isQuery ? 0 : INVOKE_FLAG.clientId) | (snapshot ? INVOKE_FLAG.snapshot : 0);
    const frame = encodeRows(this.#kernels, [{ id, at, name, input, flags, fingerprint: this.#requests }]);
    const partition = this.partitionOf(keyOf(ask));
    const { network } = this.world;
    network.carry(OUTSIDE, partition, () => {
      this.world.partitions[partition]?.routeRequest(frame, (body) => {
        if (!(body instanceof Uint8Array)) return;
        network.carry(partition, OUTSIDE, () => {
          for (const { status } of decodeAnswers(this.#kernels, body)) answered(status);
        });
      });
    });
  }

  #edgeId(): string {
    return `e${hex(EPOCH_MS + Math.floor(this.world.scheduler.now), 11)}${hex(this.#requests, 12)}${hex(1, 8)}`;
  }

  /** Lets time pass. @throws when an object fails */
  async pass(ms: number): Promise<void> {
    const { world } = this;
    let passed = false;
    world.scheduler.in(ms, () => (passed = true));
    await world.run(() => passed, Infinity);
    if (world.failures.length > 0) throw new Error(world.failures.join("\n"));
  }

  /** Epochs committed so far. */
  get epochs(): number {
    const coordinator = this.world.coordinator?.current as unknown as CoordinatorInstance | undefined;
    return (coordinator?.machine.status.committed ?? 0) % 2 ** 32;
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
