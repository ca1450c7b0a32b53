/** Limits so small that a run of some hundred transactions folds, evicts from its cache, cuts records and queues. */
import type { Patch } from "./patches.ts";

export const SMALL_LIMITS = {
  maxRunning: 8,
  maxInvocations: 14,
  maxPartBytes: 400,
  epochRecordBytes: 700,
  cacheBytes: 1_500,
  foldBytes: 3_000,
  moveChunkUnits: 300,
  moveWindow: 2,
  movePageRows: 2,
  movePagesPerTurn: 2,
  moveFewKeys: 2,
  garbageRowsPerTurn: 3,
  foldBytesPerTurn: 300,
  maxFoldBytes: 3_200,
  messagesPerTurn: 3,
  carriedResults: 4,
  carryMs: 300,
  blockBytes: 300,
  mergeBytes: 1_000,
  dropsPerTurn: 2,
  resultSlotMs: 20_000,
  maxRuns: 4,
  blockCacheBytes: 1_000,
  maxFilterBytes: 150,
  // So that a try at a message can be made again before its sender hears of the one before.
  repostMs: 300,
  // Five tries are over well before a message ceases to end whoever runs it. Less would mix up the tries of two partitions: those that come within a
  // probe and a wake of each other are lost together.
  suspectSpreadMs: 800,
  maxEffectsRunning: 3,
  maxEffectsOfName: 2,
  maxEffectsOfShare: 1,
  expiryRowsPerTurn: 6,
  maxExpiringKeys: 2,
  expiryPauseMs: 100,
  maxLiveShards: 3,
  streamEntryChars: 120,
  queuedIdMs: 60_000,
  // Some four events.
  maxEgressUnits: 220,
} as const;

/** ms for which a promise is kept that has ended: a run does not last for a week. */
const PROMISE_KEPT_MS = 1_500;

/** A minute of schedules lasts 600 ms (clients/tick-service.ts): so many go into one. */
const MINUTES = 100;

/** Puts them, and others by name, in the place of the real ones when limits are loaded. */
export function smallLimitsPatches(others: Readonly<Record<string, number>> = {}): Patch[] {
  const small = JSON.stringify({ ...SMALL_LIMITS, ...others });
  const file = "protocol/limits.ts";
  return [
    {
      file,
      find: "export const LIMITS = {",
      replace: `const SMALL = ${small} as Record<string, number>;\nconst REAL = {`,
    },
    {
      file,
      find: "\n} as const;\n",
      replace: "\n} as const;\nexport const LIMITS: typeof REAL = { ...REAL, ...SMALL };\n",
    },
    {
      file: "sdk/limits.ts",
      find: "PROMISE_KEPT_MS = 7 * 24 * 60 * 60 * 1_000;",
      replace: `PROMISE_KEPT_MS = ${PROMISE_KEPT_MS};`,
    },
    {
      file: "sdk/cron.ts",
      find: "export function nextTime(cron: Cron, after: number): number | null {",
      replace:
        "export function nextTime(cron: Cron, after: number): number | null {\n" +
        `  const at = realTime(cron, after * ${MINUTES});\n  return at === null ? null : at / ${MINUTES};\n}\n` +
        "function realTime(cron: Cron, after: number): number | null {",
    },
  ];
}
