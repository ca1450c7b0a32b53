/** All planted bugs. They exist as patches of the source text only: nothing of them is in what is deployed. */
import { BLOCKS } from "./bugs/blocks.ts";
import { CHANNELS } from "./bugs/channels.ts";
import { COORDINATOR } from "./bugs/coordinator.ts";
import { EPOCHS } from "./bugs/epochs.ts";
import { FINISH } from "./bugs/finish.ts";
import { ENDING } from "./bugs/flow-ends.ts";
import { STREAMING } from "./bugs/flows.ts";
import { CHANGING } from "./bugs/flow-changes.ts";
import { QUEUEING } from "./bugs/flow-queue.ts";
import { MOVING } from "./bugs/moves.ts";
import { OUTBOXES } from "./bugs/outbox.ts";
import { RUNNING } from "./bugs/running.ts";
import { SCOPES } from "./bugs/scopes.ts";
import { SNAPSHOTS } from "./bugs/snapshots.ts";
import { STORAGE } from "./bugs/storage.ts";
import { UNFOUND } from "./bugs/unfound.ts";
import { DELAYED } from "./bugs/timers.ts";
import { OUTSIDES } from "./bugs/outside.ts";
import { ERASING } from "./bugs/erasing.ts";
import { TIMES } from "./bugs/times.ts";
import { WAITING } from "./bugs/waiting.ts";
import type { PlantedBug } from "./planted.ts";

export const BUGS: readonly PlantedBug[] = [
  ...RUNNING,
  ...SCOPES,
  ...FINISH,
  ...EPOCHS,
  ...CHANNELS,
  ...COORDINATOR,
  ...STORAGE,
  ...BLOCKS,
  ...SNAPSHOTS,
  ...OUTBOXES,
  ...MOVING,
  ...DELAYED,
  ...OUTSIDES,
  ...WAITING,
  ...ERASING,
  ...TIMES,
  ...STREAMING,
  ...ENDING,
  ...CHANGING,
  ...QUEUEING,
];

export function bugNamed(name: string): PlantedBug {
  const bug = [...BUGS, ...UNFOUND].find((each) => each.name === name);
  if (!bug) throw new Error(`there is no planted bug "${name}"; there are ${BUGS.map((each) => each.name).join(", ")}`);
  return bug;
}
