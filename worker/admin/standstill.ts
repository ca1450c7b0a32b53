/**
 * One moment of a whole domain. All partitions stop to start transactions; when none is under way anywhere, each pins its state; then all go
 * on. The pins belong together if every partition stood still from before the first to behind the last, which each confirms (docs/protocol.md,
 * "Backup").
 */
import type { FreezeAnswer, ThawAnswer } from "../../protocol/backup/asks.ts";
import { LIMITS } from "../limits.ts";
import { ProblemError, refuse } from "../problems.ts";
import { sleep } from "../retries.ts";
import type { Domain } from "./domain.ts";

const INTERRUPTED = "/problems/backup-interrupted";

/** Pins every partition under this id, whole or one service's state only. @throws ProblemError with nothing pinned and nobody frozen */
export async function pinAll(domain: Domain, id: string, service: string | null): Promise<void> {
  try {
    await whileFrozen(domain, id, service);
  } catch (error) {
    await domain.tryAll({ op: "thaw", id });
    await release(domain, id);
    throw error;
  }
}

export function release(domain: Domain, id: string): Promise<void> {
  return domain.tryAll({ op: "release", id });
}

async function whileFrozen(domain: Domain, id: string, service: string | null): Promise<void> {
  const deadline = Date.now() + LIMITS.standstillMs;
  for (
    let pause = LIMITS.standstillLookMs;
    !(await isQuiet(domain, id)) || !(await pin(domain, id, service));
    pause *= 2
  ) {
    if (Date.now() > deadline)
      throw refuse("backup-interrupted", "transactions ran for too long to stand still; try again", {
        retryable: true,
      });
    await sleep(Math.min(pause, LIMITS.standstillLookMostMs));
  }
  const thawed = await domain.askAll<ThawAnswer>({ op: "thaw", id });
  if (!thawed.every(({ held }) => held))
    throw refuse("backup-interrupted", "a partition started over or stood still for too long; try again", {
      retryable: true,
    });
}

async function isQuiet(domain: Domain, id: string): Promise<boolean> {
  const answers = await domain.askAll<FreezeAnswer>({ op: "freeze", id });
  return answers.every(({ quiet }) => quiet);
}

/** False when a decision is still on its way to somebody. */
async function pin(domain: Domain, id: string, service: string | null): Promise<boolean> {
  try {
    await domain.askAll({ op: "pin", id, service });
    return true;
  } catch (error) {
    if (error instanceof ProblemError && error.problem.type === INTERRUPTED) return false;
    throw error;
  }
}
