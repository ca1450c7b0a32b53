/** The context of internal functions. */
import type { ShardStore, StoreRange } from "../../dataflow/operators/store.ts";
import type { Contract } from "../../sdk/contract.ts";
import type { EffectDefinition } from "../../sdk/effect.ts";
import type { Reply } from "../../sdk/reply.ts";
import { decodeValue } from "../../sdk/values.ts";
import { checkEntryKey } from "../flows/entry-key.ts";
import type { FlowContext } from "../flows/internal.ts";
import type { Payload } from "../flows/payload.ts";
import type { EntityCopy } from "../state/entity-copy.ts";
import type { Activation } from "../transaction/attempt.ts";
import { SHARES_FORMAT } from "../wire/codec.ts";
import type { Peer } from "../wire/messages.ts";
import { assertLive, createContext } from "./context.ts";
import type { Engine } from "./engine.ts";

type Calls = Record<string, (input?: unknown) => Promise<unknown>>;
type Base = Pick<FlowContext, "call" | "try" | "send" | "effect" | "now" | "uuid" | "key">;

export class EngineFlowContext implements FlowContext {
  readonly key: string;
  readonly store: ShardStore;
  readonly #base: Base;
  readonly #engine: Engine;
  readonly #activation: Activation;

  constructor(engine: Engine, activation: Activation) {
    this.#engine = engine;
    this.#activation = activation;
    this.#base = createContext(engine, activation) as Base;
    this.key = activation.target.key;
    this.store = new CopyStore(() => this.#copy);
  }

  get #copy(): EntityCopy {
    assertLive(this.#activation);
    return this.#engine.machine.transactions.copyOf(this.#activation);
  }

  get state(): unknown {
    return this.#activation.mode === "shared" ? decodeValue(this.#copy.valueText()) : this.#copy.value;
  }
  set state(value: unknown) {
    this.#copy.value = value;
  }

  placeOf(key: string): Peer {
    return this.#engine.machine.partitionOf(key);
  }
  takesShares(place: Peer): boolean {
    const { self, formats } = this.#engine.machine;
    return place === self || formats.for(place) >= SHARES_FORMAT;
  }
  clear(): void {
    this.#copy.clear();
  }
  now(): number {
    return this.#base.now();
  }
  uuid(): string {
    return this.#base.uuid();
  }
  tooLarge(most: number): number {
    const { root } = this.#activation.attempt;
    if (root === null) return 0;
    return this.#engine.lastTooMuch.times(root, most);
  }
  later(name: string, at: number): void {
    const service = this.#activation.target.service.contract.name;
    this.#engine.send(this.#activation, { service, key: this.key, name, input: "", when: { at } });
  }
  ask(service: string, key: string, name: string, payload: Payload): Promise<Payload> {
    return this.#engine.ask(this.#activation, { service, key, name }, payload);
  }
  call(contract: Contract, key: string): Calls {
    return this.#base.call(contract, key);
  }
  try(contract: Contract, key: string): Calls {
    return this.#base.try(contract, key);
  }
  send(contract: Contract, key: string): Record<string, (input?: unknown) => void> {
    return this.#base.send(contract, key);
  }
  effect(effect: EffectDefinition, input: unknown, to: Reply): void {
    this.#base.effect(effect, input, to);
  }
}

/** Entries of collections under one key, as texts. */
class CopyStore implements ShardStore {
  readonly #copy: () => EntityCopy;

  constructor(copy: () => EntityCopy) {
    this.#copy = copy;
  }

  get(collection: string, key: string): string | null {
    checkEntryKey(key);
    return this.#copy().getEntry(collection, key);
  }

  put(collection: string, key: string, text: string | null): void {
    checkEntryKey(key);
    const copy = this.#copy();
    // What is not there need not be deleted: a deletion would be written.
    if (text === null && copy.getEntry(collection, key) === null) return;
    copy.putEntry(collection, key, text);
  }

  drop(collection: string, key: string): void {
    this.#copy().putEntry(collection, key, null);
  }

  range(collection: string, { from, to, limit, reverse = false }: StoreRange): Array<[string, string]> {
    return this.#copy().range(collection, { from, to, limit, reverse }) as Array<[string, string]>;
  }
}
