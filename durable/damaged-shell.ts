/** The shell of what stands in for a partition whose storage is damaged: messages of other objects are its only inputs. */
import { CorruptError } from "../core-wasm/types.ts";
import type { Beside } from "../protocol/link/carrier.ts";
import type { LinkInput } from "../protocol/link/effects.ts";
import type { DamagedEffect, DamagedMachine } from "../protocol/partition/damaged.ts";
import type { Peer } from "../protocol/wire/messages.ts";
import { LinkShell } from "./link-shell.ts";
import type { Answered, OwnDomain } from "./peers.ts";
import type { PartitionStore } from "./store.ts";
import type { Usage } from "./usage.ts";

export class DamagedShell {
  readonly #ctx: DurableObjectState;
  readonly #store: PartitionStore;
  readonly #machine: DamagedMachine;
  readonly #links: LinkShell;

  constructor(
    ctx: DurableObjectState,
    store: PartitionStore,
    machine: DamagedMachine,
    { usage, domain, partition }: { readonly usage: Usage; readonly domain: OwnDomain; readonly partition: Peer },
  ) {
    this.#ctx = ctx;
    this.#store = store;
    this.#machine = machine;
    const host = { input: (input: LinkInput) => this.#input(input), gathered: () => ctx.storage.sync() };
    this.#links = new LinkShell(host, usage, domain, partition);
    this.#perform(machine.start());
  }

  deliver(bytes: Uint8Array, beside?: Beside): Promise<number | Answered> {
    return this.#links.deliver(bytes, beside);
  }

  #input(input: LinkInput): void {
    try {
      this.#perform(this.#machine.step(input, Date.now()));
    } catch (error) {
      if (error instanceof CorruptError) throw error;
      this.#ctx.abort(error instanceof Error ? error.message : String(error));
    }
  }

  #perform(effects: readonly DamagedEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "persist") for (const op of effect.ops) this.#store.perform(op);
      else this.#links.perform(effect);
    }
  }
}
