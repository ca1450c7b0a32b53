/** Where enumerated scenarios play: one list and one account in each partition, and plans without chance. */
import type { Kernels } from "../../core-wasm/types.ts";
import { OUTSIDE } from "../clients/clocks.ts";
import { appendsOf, type Call, type Place, type Step } from "../clients/steps.ts";
import type { Ask, ClientPlan, Transaction } from "../clients/transaction.ts";
import type { PlannedFault } from "../faults/planned.ts";
import type { Rates } from "../faults/rates.ts";
import { groupOfHash, initialMap, type KeyGroupMap, rescaledMap } from "../../protocol/keygroups/map.ts";
import type { Plan } from "../plan.ts";

const STILL: Rates = {
  level: 0,
  hop: [1, 1],
  confirm: [4, 4],
  lazy: 0,
  loss: 0,
  duplicate: 0,
  slow: 0,
  slowMs: 0,
  zombieMail: 0,
  zombieMs: Infinity,
  carries: true,
  alarms: 0,
  skewMs: 0,
  tornTurns: false,
  olderCode: 0,
};

/** When clients begin: everybody is up by then. */
export const BEGIN_MS = 30;

export class Stage {
  readonly #partitions: number;
  readonly #keys: readonly string[];
  #value = 0;
  #number = 0;

  /** @param later how many partitions there will be; keys are such as then move, as far as there are */
  constructor(kernels: Kernels, partitions: number, later = partitions) {
    this.#partitions = partitions;
    const map = initialMap(partitions);
    const next = rescaledMap(map, later);
    const names = Array.from({ length: 64 }, (_, n) => `k${n}`);
    const at = (key: string, { groups }: KeyGroupMap) => groups[groupOfHash(kernels.hashKey(key))];
    this.#keys = Array.from({ length: partitions }, (_, partition) => {
      const own = names.filter((key) => at(key, map) === partition);
      return (own.find((key) => at(key, next) !== partition) ?? own[0]) as string;
    });
  }

  /** The list of a partition. */
  list(partition: number): Place {
    return ["la", this.#keys[partition] as string];
  }

  append(): Step {
    return { op: "append", value: ++this.#value };
  }

  /** A call of the list of a partition. */
  call(partition: number, ...steps: Step[]): Step & { readonly op: "call" } {
    return { op: "call", at: this.list(partition), steps };
  }

  try(partition: number, ...steps: Step[]): Step {
    return { op: "try", at: this.list(partition), steps };
  }

  /** A one-way message to the list of a partition. */
  send(partition: number, ...steps: Step[]): Step {
    return { op: "send", at: this.list(partition), steps };
  }

  all(...calls: Call[]): Step {
    return { op: "all", calls: calls.map(({ at, steps }) => ({ at, steps })) };
  }

  run(partition: number, ...steps: Step[]): Ask {
    const at = this.list(partition);
    return { kind: "list", at, name: "run", steps, shape: "enumerated", appends: appendsOf(at, steps) };
  }

  /** Sends messages for later from the key of one partition to that of another. */
  later(
    from: number,
    to: number,
    how: { readonly delay: number; readonly count: number; readonly failUntil?: number },
  ): Ask {
    const [at, target] = [this.#keys[from] as string, this.#keys[to] as string];
    return { kind: "clock", at, name: "later", input: { to: target, undo: false, ...how } };
  }

  /** Cancels the `nth` newest of those. */
  drop(by: number, from: number, nth: number): Ask {
    return { kind: "clock", at: this.#keys[by] as string, name: "drop", input: { from: this.#keys[from], nth } };
  }

  /** Sends a message for later to the key of a partition, from outside. */
  ring(to: number, delay: number): Partial<Transaction> {
    const number = this.#number;
    const input = { from: OUTSIDE, n: number, due: 0 };
    return { ask: { kind: "clock", at: this.#keys[to] as string, name: "ring", input }, oneWay: true, delay };
  }

  /** Has the key of one partition send that of another a message every minute, or ends that. */
  arrange(from: number, to: number, n: number, every: number): Ask {
    const input = { n, name: "one", to: this.#keys[to], every, how: "return" };
    return { kind: "tick", at: this.#keys[from] as string, name: "arrange", input };
  }
  end(from: number): Ask {
    return { kind: "tick", at: this.#keys[from] as string, name: "end", input: { name: "one" } };
  }

  transfer(from: number, to: number, amount: number): Ask {
    const [a, b] = [this.#keys[from] as string, this.#keys[to] as string];
    return { kind: "transfer", from: a, to: b, amount, pause: 0 };
  }

  audit(at: number): Ask {
    return { kind: "audit", at: this.#keys[at] as string, accounts: this.#keys };
  }

  /** One client that asks for these one after the other, the first so many ms after the beginning. */
  client(afterMs: number, ...transactions: ReadonlyArray<Ask | Partial<Transaction>>): ClientPlan {
    return transactions.map((each, index) => {
      const { ask, ...how } = "kind" in each ? { ask: each as Ask } : (each as Partial<Transaction>);
      const after = index === 0 ? BEGIN_MS + afterMs : 0;
      return [{ number: this.#number++, ask: ask as Ask, snapshot: false, clientId: true, after, ...how }];
    });
  }

  plan(clients: readonly ClientPlan[], planned: readonly PlannedFault[] = []): Plan {
    const lists = this.#keys.map((_, partition) => ({ at: this.list(partition), partition }));
    const hasClocks = clients.flat(2).some(({ ask }) => ask.kind === "clock");
    const clocks = hasClocks ? { clocks: this.#keys } : {};
    const ticks = clients.flat(2).some(({ ask }) => ask.kind === "tick") ? { ticks: this.#keys } : {};
    const ground = { lists, accounts: this.#keys, quiet: false, reading: false, sends: false, ...clocks, ...ticks };
    return { seed: 1, partitions: this.#partitions, ground, clients, rates: STILL, planned, aims: [] };
  }
}
