/** Asks the objects of a domain for their figures. Who does not answer is told of, and keeps nobody waiting for long. */
import type { CoordinatorFigures, PartitionFigures } from "../../protocol/observe/figures.ts";
import type { Backend, KeyGroupMap, ObservedBackend } from "../backend.ts";
import { LIMITS } from "../limits.ts";
import { refuse } from "../problems.ts";
import { sleep } from "../retries.ts";

export interface DomainFigures {
  /** By partition; null for one that did not answer. */
  readonly partitions: ReadonlyArray<PartitionFigures | null>;
  readonly coordinator: CoordinatorFigures | null;
}

/**
 * The key-group map as it is now: an isolate that serves only who watches hears of no new one from partitions. Where the coordinator does not answer it
 * is the one that is known, which is not forgotten meanwhile.
 * @throws ProblemError where none is known
 */
export async function observedMap(backend: Backend): Promise<KeyGroupMap> {
  const [known, present] = await Promise.all([
    inTime(backend.keyGroupMap(), LIMITS.presentMapMs),
    inTime(backend.rescaleStatus(), LIMITS.presentMapMs),
  ]);
  if (known === null) throw refuse("overloaded", "the coordinator does not answer", { retryable: true });
  if (present === null || present.version === known.version) return known;
  backend.refreshMap();
  return (await inTime(backend.keyGroupMap(), LIMITS.presentMapMs)) ?? known;
}

/** Those that are silent take a place among those that are asked, and no time of the others: all have one deadline. */
export async function figuresOf(observed: ObservedBackend, partitions: number): Promise<DomainFigures> {
  const deadline = Date.now() + LIMITS.figuresTimeoutMs;
  const coordinator = inTime(observed.coordinator());
  const figures = Array.from<PartitionFigures | null>({ length: partitions }).fill(null);
  let next = 0;
  const askOn = async (): Promise<void> => {
    for (let left = LIMITS.figuresTimeoutMs; next < partitions && left > 0; left = deadline - Date.now()) {
      const partition = next++;
      figures[partition] = await inTime(observed.partition(partition).figures(), left);
    }
  };
  await Promise.all(Array.from({ length: LIMITS.figuresAtOnce }, askOn));
  return { partitions: figures, coordinator: await coordinator };
}

/** An object's answer, or null. */
export function inTime<T>(answer: Promise<T>, milliseconds: number = LIMITS.figuresTimeoutMs): Promise<T | null> {
  return Promise.race([
    answer.then(
      (value) => value,
      () => null,
    ),
    sleep(milliseconds).then(() => null),
  ]);
}
