/** What a thread does for an order. */
import { kernelsOf } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { addCounts } from "../coverage.ts";
import { explore } from "../enumerate/explore.ts";
import { scenarioNamed } from "../enumerate/scenarios.ts";
import { drawPlan } from "../plan.ts";
import { type Report, runPlan } from "../run.ts";
import { shrink } from "../shrink.ts";
import { SlabCore } from "../world/slab-core.ts";
import type { Answer, Done, Order, SeedResult, Settings } from "./messages.ts";

const kernels = kernelsOf(new SlabCore(loadCore()));

/** @param begins is told each seed before it is run */
export async function obey(settings: Settings, order: Order, begins: (seed: number) => void): Promise<Answer> {
  switch (order.kind) {
    case "seeds":
      return runSeeds(settings, order.seeds, begins);
    case "show": {
      begins(order.seed);
      const report = await runPlan(drawPlan(order.seed, kernels, settings), { kernels, show: true });
      const { lines, faults, answers } = report;
      return { kind: "show", result: resultOf(report), lines, faults: [...faults], answers: [...answers] };
    }
    case "enumerate": {
      const { scenario, pairs, every } = order;
      const explored = await explore(scenarioNamed(scenario, kernels), { kernels, pairs, every });
      return { kind: "enumerated", explored };
    }
    case "shrink": {
      const plan = drawPlan(order.seed, kernels, settings);
      return {
        kind: "shrink",
        seed: order.seed,
        text: await shrink(plan, kernels, order.budgetMs, () => begins(order.seed)),
      };
    }
  }
}

async function runSeeds(settings: Settings, seeds: readonly number[], begins: (seed: number) => void): Promise<Done> {
  const reports: Report[] = [];
  for (const seed of seeds) {
    begins(seed);
    reports.push(await runPlan(drawPlan(seed, kernels, settings), { kernels }));
  }
  const sum = (of: (report: Report) => number) => reports.reduce((total, report) => total + of(report), 0);
  const fewest = (of: (report: Report) => number) => Math.min(...reports.map(of));
  const counts = (of: (report: Report) => Iterable<readonly [string, number]>) => {
    const total = new Map<string, number>();
    for (const report of reports) addCounts(total, of(report));
    return [...total];
  };
  return {
    kind: "seeds",
    results: reports.map(resultOf),
    transactions: sum(({ transactions }) => transactions),
    simulatedMs: sum(({ simulatedMs }) => simulatedMs),
    events: sum(({ events }) => events),
    messages: sum(({ messages }) => messages),
    newer: sum(({ newer }) => newer),
    carried: sum(({ carried }) => carried),
    fewestTransactions: fewest(({ transactions }) => transactions),
    fewestFaults: fewest(({ faults }) => [...faults.values()].reduce((total, count) => total + count, 0)),
    faults: counts(({ faults }) => faults),
    answers: counts(({ answers }) => answers),
    coverage: counts(({ coverage }) => coverage),
  };
}

function resultOf({ seed, hash, failures, notes }: Report): SeedResult {
  return { seed, hash, failures, notes };
}
