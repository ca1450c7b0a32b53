/** Cuts a failing plan down while it still fails: fewer clients, transactions and faults are easier to understand. */
import type { Kernels } from "../core-wasm/types.ts";
import type { Rates } from "./faults/rates.ts";
import type { Plan } from "./plan.ts";
import { runPlan } from "./run.ts";

/**
 * @param begins is told of each run before it
 * @returns the smallest plan found, its failure and its trace, for people
 */
export async function shrink(plan: Plan, kernels: Kernels, budgetMs: number, begins: () => void): Promise<string> {
  const shrinker = new Shrinker(kernels, performance.now() + budgetMs, begins);
  const smallest = await shrinker.shrink(plan);
  if (!smallest) return "it does not fail any more";
  begins();
  const { failures, lines } = await runPlan(smallest, { kernels, show: true });
  return [...describe(smallest), `after ${shrinker.runs} runs it still fails:`, ...failures, "", ...lines].join("\n");
}

/** Of what is wrong, so many characters tell one failure from another. */
const WORDS = 40;

class Shrinker {
  readonly #kernels: Kernels;
  readonly #deadline: number;
  readonly #begins: () => void;
  #wanted = "";
  runs = 0;

  constructor(kernels: Kernels, deadline: number, begins: () => void) {
    this.#kernels = kernels;
    this.#deadline = deadline;
    this.#begins = begins;
  }

  async shrink(plan: Plan): Promise<Plan | null> {
    const failure = await this.#failureOf(plan);
    if (failure === null) return null;
    this.#wanted = failure;
    let best = plan;
    for (let before = ""; before !== sizeOf(best) && !this.#isLate;) {
      before = sizeOf(best);
      best = await this.#quieter(best);
      best = await this.#fewer(best, best.aims, (aims) => ({ ...best, aims }));
      best = await this.#fewer(best, best.planned, (planned) => ({ ...best, planned }));
      const clients = best.clients.map((groups, client) => ({ client, groups }));
      best = await this.#fewer(best, clients, (left) => withGroups(best, left));
      const groups = best.clients.flatMap((each, client) => each.map((group) => ({ client, groups: [group] })));
      best = await this.#fewer(best, groups, (left) => withGroups(best, left));
    }
    return best;
  }

  get #isLate(): boolean {
    return performance.now() > this.#deadline;
  }

  /** The first word of what is wrong, so that a smaller plan fails alike. */
  async #failureOf(plan: Plan): Promise<string | null> {
    this.runs += 1;
    this.#begins();
    const [first] = (await runPlan(plan, { kernels: this.#kernels })).failures;
    return first === undefined ? null : first.replaceAll(/\d+/g, "").slice(0, WORDS);
  }

  async #fails(plan: Plan): Promise<boolean> {
    return !this.#isLate && (await this.#failureOf(plan)) === this.#wanted;
  }

  /** Without one kind of chance after the other. */
  async #quieter(plan: Plan): Promise<Plan> {
    let best = plan;
    const still: Array<Partial<Rates>> = [
      { loss: 0 },
      { duplicate: 0 },
      { slow: 0 },
      { alarms: 0 },
      { skewMs: 0 },
      { lazy: 0 },
      { hop: [2, 2] },
      { confirm: [5, 5] },
    ];
    for (const change of still) {
      const next = { ...best, rates: { ...best.rates, ...change } };
      if (JSON.stringify(next.rates) !== JSON.stringify(best.rates) && (await this.#fails(next))) best = next;
    }
    return best;
  }

  /** Leaves out halves, quarters, ... single items (delta debugging; Zeller & Hildebrandt 2002). */
  async #fewer<T>(plan: Plan, items: readonly T[], make: (left: readonly T[]) => Plan): Promise<Plan> {
    let best = plan;
    let left = items;
    for (
      let size = Math.ceil(left.length / 2);
      size >= 1 && left.length > 0;
      size = size === 1 ? 0 : Math.ceil(size / 2)
    ) {
      for (let at = 0; at < left.length && !this.#isLate;) {
        const without = [...left.slice(0, at), ...left.slice(at + size)];
        const next = make(without);
        if (await this.#fails(next)) {
          left = without;
          best = next;
        } else at += size;
      }
    }
    return best;
  }
}

function withGroups(
  plan: Plan,
  left: ReadonlyArray<{ readonly client: number; readonly groups: Plan["clients"][number] }>,
): Plan {
  const clients = plan.clients.map((_, client) =>
    left.filter((each) => each.client === client).flatMap(({ groups }) => groups),
  );
  return { ...plan, clients };
}

function sizeOf({ clients, aims, planned, rates }: Plan): string {
  return JSON.stringify([clients.flat(2).length, aims.length, planned.length, rates]);
}

function describe({ seed, partitions, clients, planned, aims, rates }: Plan): string[] {
  return [
    `seed ${seed}, ${partitions} partitions, ${clients.flat(2).length} transactions`,
    `rates ${JSON.stringify(rates)}`,
    ...planned.map((fault) => `fault ${JSON.stringify(fault)}`),
    ...aims.map((aim) => `aim ${JSON.stringify(aim)}`),
    ...clients.flatMap((groups, client) =>
      groups.map(
        (group) =>
          `client ${client} asks ${group.map(({ number, ask }) => `T${number} ${JSON.stringify(ask)}`).join(" and ")}`,
      ),
    ),
  ];
}
