/** Limits so small that a run of few transactions folds, evicts, cuts records and queues. Mocked over protocol/limits.ts. */
import type { LIMITS as Real } from "../../../protocol/limits.ts";

export function smallLimits(real: { LIMITS: typeof Real }) {
  return {
    LIMITS: {
      ...real.LIMITS,
      maxRunning: 6,
      maxPartBytes: 200,
      maxRecordBytes: 2_000,
      epochRecordBytes: 2_000,
      cacheBytes: 600,
      foldBytes: 1_500,
      maxUnfoldedBytes: 1_000_000,
      foldBytesPerTurn: 150,
      maxFoldBytes: 2_500,
      blockBytes: 150,
      mergeBytes: 500,
      dropsPerTurn: 2,
      maxRuns: 4,
      blockCacheBytes: 400,
      maxFilterBytes: 60,
      operatorUnits: 2_000,
      chunkUnits: 100,
      chunkTextUnits: 40,
      cleanedUnits: 30,
      looseChunks: 3,
    },
  };
}
