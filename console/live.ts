/** The domain as it is now and was in the last minutes: an overview every second while somebody looks. */
import { useEffect, useState } from "preact/hooks";
import type { Api, RequestError } from "./api.ts";
import type { Histogram, Overview, Partition } from "./model.ts";

const EVERY_MS = 1_000;
/** Samples that are kept. */
const KEPT = 120;

/** What happened between two overviews, by the second. */
export interface Sample {
  readonly at: number;
  readonly perSecond: number;
  readonly errorsPerSecond: number;
  readonly epochsPerSecond: number;
  /** ms; null where nothing ended. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly epochSize: number | null;
  readonly epochMs: number | null;
  /** By partition. */
  readonly partitions: readonly number[];
}

export interface Live {
  readonly now: Overview | null;
  readonly samples: readonly Sample[];
  readonly error: RequestError | null;
}

export function useLive(api: Api): Live {
  const [live, setLive] = useState<Live>({ now: null, samples: [], error: null });
  useEffect(() => {
    let isOver = false;
    let last: Overview | null = null;
    let samples: readonly Sample[] = [];
    const look = async (): Promise<void> => {
      // Who does not look need not wake objects that rest.
      if (!document.hidden) {
        try {
          const now = await api.overview();
          if (isOver) return;
          if (last !== null && now.at > last.at) samples = [...samples, sampleOf(last, now)].slice(-KEPT);
          last = now;
          setLive({ now, samples, error: null });
        } catch (error) {
          if (!isOver) setLive((before) => ({ ...before, error: error as RequestError }));
        }
      }
      if (!isOver) timer = window.setTimeout(look, EVERY_MS);
    };
    let timer = window.setTimeout(look, 0);
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [api]);
  return live;
}

export function sampleOf(before: Overview, now: Overview): Sample {
  const seconds = (now.at - before.at) / 1_000;
  const latency = empty();
  let ended = 0;
  let errors = 0;
  const partitions = now.partitions.map((partition, at) => {
    const earlier = before.partitions[at] ?? null;
    const grown = outcomesBetween(earlier, partition);
    addBetween(latency, earlier?.observed.latency, partition?.observed.latency);
    const all = grown.reduce((sum, count) => sum + count, 0);
    ended += all;
    errors += grown.slice(4).reduce((sum, count) => sum + count, 0);
    return all / seconds;
  });
  const size = empty();
  const duration = empty();
  addBetween(size, before.coordinator?.epochs?.size, now.coordinator?.epochs?.size);
  addBetween(duration, before.coordinator?.epochs?.duration, now.coordinator?.epochs?.duration);
  const epochs = countOf(size);
  // Of those that a lone member has decided the coordinator does not know how long they took.
  const timed = countOf(duration);
  return {
    at: now.at,
    perSecond: ended / seconds,
    errorsPerSecond: errors / seconds,
    epochsPerSecond: epochs / seconds,
    p50: quantile(latency, 0.5),
    p99: quantile(latency, 0.99),
    epochSize: epochs === 0 ? null : size.sum / epochs,
    epochMs: timed === 0 ? null : duration.sum / timed,
    partitions,
  };
}

/** A partition that has started over counts from 0. Of one that was not known before nobody knows when it has counted what it has. */
function outcomesBetween(before: Partition | null, now: Partition | null): readonly number[] {
  if (before === null || now === null) return [];
  return now.observed.outcomes.map((count, at) => {
    const earlier = before.observed.outcomes[at] ?? 0;
    return count >= earlier ? count - earlier : count;
  });
}

interface Sums {
  counts: number[];
  sum: number;
}

function empty(): Sums {
  return { counts: [], sum: 0 };
}

function addBetween(to: Sums, before: Histogram | undefined, now: Histogram | undefined): void {
  if (before === undefined || now === undefined) return;
  const isSame = now.counts.every((count, at) => count >= (before.counts[at] ?? 0));
  for (const [at, count] of now.counts.entries()) {
    to.counts[at] = (to.counts[at] ?? 0) + count - (isSame ? (before.counts[at] ?? 0) : 0);
  }
  to.sum += now.sum - (isSame ? before.sum : 0);
}

export function countOf({ counts }: Histogram): number {
  return counts.reduce((sum, each) => sum + each, 0);
}

/** The bound of the bucket that it is in; null for nothing. */
export function quantile(histogram: Histogram, share: number): number | null {
  const all = countOf(histogram);
  if (all === 0) return null;
  let seen = 0;
  for (const [at, each] of histogram.counts.entries()) {
    seen += each;
    if (seen >= all * share) return 2 ** at;
  }
  return null;
}
