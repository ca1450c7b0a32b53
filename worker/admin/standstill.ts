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
    await domain.tryAll({ op: "thaw", id, standstill: null });
    await release(domain, id);
    throw error;
  }
}

export function release(domain: Domain, id: string): Promise<void> {
  return domain.tryAll({ op: "release", id });
}

async function whileFrozen(domain: Domain, id: string, service: string | null): Promise<void> {
  const deadline = Date.now() + LIMITS.standstillMs;
  let pause: number = LIMITS.standstillLookMs;
  for (let round = 0; ; round++) {
    const frozen = await domain.askAll<FreezeAnswer>({ op: "freeze", id });
    if (!frozen.every(({ map }) => map === domain.version))
      throw refuse("keys-moving", "key groups have just moved to other partitions", { retryable: true });
    const standstills = frozen.map(({ standstill }) => standstill);
    if (frozen.every(({ quiet }) => quiet) && (await pin(domain, { id, service, round }, standstills)))
      return thaw(domain, id, standstills);
    if (Date.now() > deadline)
      throw refuse("backup-interrupted", "transactions ran for too long to stand still; try again", {
        retryable: true,
      });
    await sleep(pause);
    pause = Math.min(pause * 2, LIMITS.standstillLookMostMs);
  }
}

/** False when a decision is still on its way to somebody, or somebody started over: then the pins that there are belong to no moment. */
async function pin(
  domain: Domain,
  what: { readonly id: string; readonly service: string | null; readonly round: number },
  standstills: readonly string[],
): Promise<boolean> {
  const pins = domain.partitions.map((partition) =>
    domain.ask(partition, { op: "pin", ...what, standstill: standstills[partition] as string }),
  );
  for (const { status, reason } of (await Promise.allSettled(pins)) as PromiseRejectedResult[]) {
    if (status !== "rejected") continue;
    if (reason instanceof ProblemError && reason.problem.type === INTERRUPTED) return false;
    throw reason;
  }
  return true;
}

/** @throws ProblemError when somebody did not stand still all the time */
async function thaw(domain: Domain, id: string, standstills: readonly string[]): Promise<void> {
  const thawed = await Promise.all(
    domain.partitions.map((partition) =>
      domain.ask<ThawAnswer>(partition, { op: "thaw", id, standstill: standstills[partition] as string }),
    ),
  );
  if (!thawed.every(({ held }) => held))
    throw refuse("backup-interrupted", "a partition started over or stood still for too long; try again", {
      retryable: true,
    });
}
