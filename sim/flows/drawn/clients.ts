/** Clients that send events in each version of the drawn flow, and one that looks at its views meanwhile. */
import type { ClientPlan } from "../../clients/transaction.ts";
import { createRandom } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import { Left, Right } from "../app.ts";
import { Sender } from "../draw.ts";
import { steadyViews, type Versions } from "./app.ts";

/** Above the numbers of all others. */
const FIRST = 280_000;
const FIRST_BATCH = 12_000;
const READS = 12;
/** Of event time, in steps of a client: behind those that the fixed flows begin with. */
const LATER = 5;

/** @param times from when on all have a later version than before, ms */
export function drawDrawn(
  seed: number,
  versions: Versions,
  keys: readonly string[],
  times: readonly number[],
): ClientPlan[] {
  const numbers = { transaction: FIRST, batch: FIRST_BATCH };
  const senders = times.flatMap((fromMs, at) =>
    [Left.name, Right.name].map((stream, side): ClientPlan => {
      const random = createRandom(deriveSeed(seed, 101, 2 * at + side));
      const how = { stream, groups: 2, numbered: side === at % 2, begin: LATER + 2 * at };
      const [first = [], ...more] = new Sender(random, keys, numbers, `producer-later-${at}-${side}`, how).plan();
      return [first.map((each) => ({ ...each, after: each.after + fromMs })), ...more];
    }),
  );
  const random = createRandom(deriveSeed(seed, 102));
  const steady = steadyViews(versions);
  if (steady.length === 0) return senders;
  const reads = Array.from({ length: READS }, () => [
    {
      number: numbers.transaction++,
      ask: { kind: "drawn-view", view: random.pick(steady).id } as const,
      snapshot: random.oneIn(2),
      clientId: false,
      after: random.int(900),
    },
  ]);
  return [...senders, reads];
}
