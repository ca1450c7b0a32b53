/** The stock after a run: every change replayed, what orders took and gave back included, and what is there now. */
import { isDeepStrictEqual } from "node:util";
import type { PlacedOrder } from "../../src/contracts.ts";
import type { Times } from "../calls.ts";
import { differs, type Findings } from "../findings.ts";
import type { Http } from "../http.ts";
import type { Memory } from "../judge.ts";
import type { Level } from "../shelf.ts";
import { readLevels } from "./ask.ts";
import { type Step, stuckInCircles } from "./one-order.ts";

/** Returns the levels that are stored. */
export async function auditStock(
  http: Http,
  findings: Findings,
  memory: Memory,
  stored: readonly PlacedOrder[],
): Promise<Record<string, Level>> {
  const { shelves } = memory;
  const steps = [...shelves.values()].flatMap(({ key, changes }) =>
    changes.map(({ revision, sentAt, answeredAt }): Step => ({ sentAt, answeredAt, places: [[key, revision]] })),
  );
  steps.push(...stored.flatMap((order) => stepsOf(memory, order)));
  const levels = await readLevels(http, [...shelves.keys()]);
  const faults: string[] = [];
  let changes = 0;
  for (const [key, shelf] of shelves) {
    const replayed = shelf.replay();
    faults.push(...replayed.faults);
    changes += shelf.changes.length;
    if (!isDeepStrictEqual(levels.get(key), replayed.level))
      faults.push(differs(`stock "${key}"`, replayed.level, levels.get(key)));
  }
  findings.check(
    `changes of ${shelves.size} articles by concurrent clients: in order, none lost, none doubled, never below zero`,
    changes,
    faults,
  );
  const stuck = stuckInCircles(steps);
  findings.check(
    "transactions on stock: one order for all of them, which respects real time",
    steps.length,
    stuck === 0 ? [] : [`${stuck} of them wait for one another in circles`],
  );
  return Object.fromEntries(levels);
}

/** Puts what an order took and gave back on the shelves; returns its transactions as steps. */
function stepsOf({ shelves, orders, faults }: Memory, { id, lines }: PlacedOrder): Step[] {
  const { placed, cancelled } = orders.of(id);
  const step = (
    times: Times | undefined,
    sign: 1 | -1,
    revisionOf: (line: PlacedOrder["lines"][number]) => number | undefined,
  ): Step[] => {
    if (times === undefined) return [];
    const places = lines.map((line): [string, number] => {
      const revision = revisionOf(line);
      if (revision === undefined) faults.push(`order "${id}" does not tell what became of "${line.item}"`);
      else shelves.get(line.item)?.changed({ ...times, revision, pieces: sign * line.quantity });
      return [line.item, revision ?? 0];
    });
    return [{ sentAt: times.sentAt, answeredAt: times.answeredAt, places }];
  };
  return [...step(placed, -1, ({ taken }) => taken), ...step(cancelled, 1, ({ returned }) => returned)];
}
