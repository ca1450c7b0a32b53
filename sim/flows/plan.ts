/** What of flows a seed has: which of them, who sends to them and reads them, when they are changed, and which faults come beside them. */
import type { Ground } from "../clients/generate.ts";
import type { ClientPlan } from "../clients/transaction.ts";
import { drawMild, LONG_MILD_LASTS_MS, MILD_LASTS_MS, MILD_MS } from "../faults/mild.ts";
import type { PlannedFault } from "../faults/planned.ts";
import type { Rates } from "../faults/rates.ts";
import { createRandom } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { CHANGE_LASTS_MS, drawChanges, drawChanging, hasChanges } from "./changes.ts";
import { drawFlows, drawHeldBack, drawWatcher, hasFlows } from "./draw.ts";
import { drawDrawn } from "./drawn/clients.ts";
import { drawVersions, hasDrawn } from "./drawn/versions.ts";
import { drawEnds, hasEnds } from "./ends/draw.ts";
import { drawQueueReads, hasQueue } from "./queue/draw.ts";

export interface FlowsPlan {
  readonly ground: Pick<Ground, "flows" | "deploys" | "drawn" | "ends" | "queue" | "backupMs">;
  readonly clients: readonly ClientPlan[];
  readonly rates: Pick<Rates, "mildFromMs" | "mildLastsMs">;
  /** @param most partitions, at any time */
  planned(partitions: number, most: number): readonly PlannedFault[];
  /** So many transactions less there are of the usual. */
  readonly instead: number;
}

/** So many transactions less there are beside flows, in which more goes on while there are faults. */
const BESIDE_FLOWS = 110;
/** And so many beside flows that are changed. */
const BESIDE_CHANGES = 35;
/** Keys of events, at most: windows of few keys have more events each. */
const FLOW_KEYS = 4;

/** In half of the seeds with a drawn flow, when there is something of it. */
function drawBackup(seed: number): Pick<Ground, "backupMs"> {
  const random = createRandom(deriveSeed(seed, 103));
  return random.oneIn(2) ? { backupMs: MILD_MS + random.int(LONG_MILD_LASTS_MS) } : {};
}

/** @param accounts whose keys are those of events, too. @returns null where a seed has none */
export function drawFlowsPlan(seed: number, accounts: readonly string[]): FlowsPlan | null {
  if (!hasFlows(seed)) return null;
  const flows = [...new Set(accounts)].slice(0, FLOW_KEYS);
  const changes = hasChanges(seed) ? drawChanges(seed) : null;
  const changed = (changes ?? []).map((time) => time + CHANGE_LASTS_MS);
  const drawn = hasDrawn(seed) ? drawVersions(seed) : null;
  const mildLastsMs = drawn ? LONG_MILD_LASTS_MS : MILD_LASTS_MS;
  return {
    ground: {
      flows,
      ...(changes ? { deploys: changes } : {}),
      ...(drawn ? { drawn, ...drawBackup(seed) } : {}),
      ...(hasEnds(seed) ? { ends: flows } : {}),
      ...(hasQueue(seed) ? { queue: flows } : {}),
    },
    clients: [
      ...drawFlows(seed, flows),
      ...(hasEnds(seed) ? drawEnds(seed, flows) : []),
      drawWatcher(seed),
      ...(hasQueue(seed) ? [drawQueueReads(seed)] : []),
      ...changed.slice(0, 1).map((fromMs) => drawHeldBack(seed, flows, fromMs)),
      ...(drawn ? drawDrawn(seed, drawn, flows, changed) : []),
    ],
    rates: { mildFromMs: MILD_MS, mildLastsMs },
    planned: (partitions, most) => [
      ...drawMild(seed, partitions, mildLastsMs),
      ...(changes ? drawChanging(seed, most, changes) : []),
    ],
    instead: BESIDE_FLOWS + (changes ? BESIDE_CHANGES : 0),
  };
}
