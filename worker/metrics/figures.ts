/** Asks the objects of a domain for their figures. Who does not answer is told of, and keeps nobody waiting for long. */
import type { CoordinatorFigures, PartitionFigures } from "../../protocol/observe/figures.ts";
import type { Backend, KeyGroupMap, ObservedBackend } from "../backend.ts";
import { LIMITS } from "../limits.ts";
import { sleep } from "../retries.ts";

export interface DomainFigures {
  /** By partition; null for one that did not answer. */
  readonly partitions: ReadonlyArray<PartitionFigures | null>;
  readonly coordinator: CoordinatorFigures | null;
}

/**
 * The key-group map as it is now: an isolate that serves only who watches hears of no new one from partitions. Where the coordinator does not answer it
 * is the one that is known, which is not forgotten meanwhile.
 */
export async function observedMap(backend: Backend): Promise<KeyGroupMap> {
  const known = await backend.keyGroupMap();
  const present = await inTime(backend.rescaleStatus(), LIMITS.presentMapMs);
  if (present === null || present.version === known.version) return known;
  backend.refreshMap();
  return (await inTime(backend.keyGroupMap(), LIMITS.presentMapMs)) ?? known;
}

export async function figuresOf(observed: ObservedBackend, partitions: number): Promise<DomainFigures> {
  const coordinator = inTime(observed.coordinator());
  const figures: Array<PartitionFigures | null> = [];
  for (let from = 0; from < partitions; from += LIMITS.figuresAtOnce) {
    const some = Array.from({ length: Math.min(LIMITS.figuresAtOnce, partitions - from) }, (_, at) =>
      inTime(observed.partition(from + at).figures()),
    );
    figures.push(...(await Promise.all(some)));
  }
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
