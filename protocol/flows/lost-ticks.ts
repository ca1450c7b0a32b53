/**
 * What a flow does by the clock is a message to its own key. Code that does not have the flow, as after a step back, gives such a message up in the end.
 * The flow's state says all the same that it was asked for, so that nothing would go on by the clock when the flow is back: what is overdue is asked for
 * again, when an instance begins and when keys have come.
 */
import type { AppDefinition } from "../../sdk/app.ts";
import type { FlowDefinition } from "../../sdk/flow.ts";
import { decodeValue } from "../../sdk/values.ts";
import { LIMITS } from "../limits.ts";
import type { Letter } from "../outbox/posting.ts";
import { isDamage } from "../state/blocks/damage.ts";
import { entityKey } from "../state/state-key.ts";
import type { StateStore } from "../state/store.ts";
import type { FlowState } from "./flow-state.ts";
import { flowService, TICK } from "./internal.ts";
import { type Elsewhere, isElsewhere } from "./place.ts";

export interface LostTicksOwner {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What fires now would find room. */
  readonly mayFire: boolean;
  keeps(key: string): boolean;
  /** A message of this sender, service and key is not delivered yet. */
  isSent(letter: Letter): boolean;
  send(letters: readonly Letter[]): void;
}

export class LostTicks {
  readonly #app: AppDefinition;
  readonly #owner: LostTicksOwner;
  readonly #committed: Pick<StateStore, "get">;
  #isLooking = false;

  constructor(app: AppDefinition, owner: LostTicksOwner, committed: Pick<StateStore, "get">) {
    this.#app = app;
    this.#owner = owner;
    this.#committed = committed;
  }

  /** Other keys are kept here than before, or it begins. */
  remap(): void {
    this.#isLooking = true;
  }

  /** All messages that are kept here are in memory. Asked for in each turn that may fire anything: nobody need wait for it. */
  start(): void {
    if (!this.#isLooking || !this.#owner.mayFire) return;
    this.#isLooking = false;
    const flows = [...this.#app.flows.values()].filter(({ name }) => !this.#app.windowed.has(name));
    const lost = flows.flatMap((flow) => this.#lostOf(flow));
    if (lost.length > 0) this.#owner.send(lost);
  }

  #lostOf({ name, streams }: FlowDefinition): Letter[] {
    const service = flowService(name);
    const keys = new Set<string>();
    for (const { name: key } of streams) {
      const state = this.#stateOf(service, key);
      keys.add(isElsewhere(state) ? state.place : key);
    }
    return [...keys].flatMap((key) => {
      const state = this.#stateOf(service, key);
      if (state === undefined || isElsewhere(state) || state.tick === null) return [];
      if (this.#owner.now - state.tick < LIMITS.tickLostMs) return [];
      const letter = { sender: entityKey(service, key), service, key, name: TICK, input: "", coded: true };
      // It waits its turn, or is tried again: another one would be no sooner.
      return this.#owner.isSent(letter) ? [] : [letter];
    });
  }

  /** Undefined also where it cannot be read: batches of the flow say so. */
  #stateOf(service: string, key: string): FlowState | Elsewhere | undefined {
    if (!this.#owner.keeps(key)) return undefined;
    const entity = entityKey(service, key);
    try {
      const text = this.#committed.get(entity, entity);
      return text === null ? undefined : (decodeValue(text) as FlowState | Elsewhere);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return undefined;
    }
  }
}
