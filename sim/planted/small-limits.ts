/** Limits so small that a run of some hundred transactions folds, evicts from its cache, cuts records and queues. */
import type { Patch } from "./patches.ts";

export const SMALL_LIMITS = {
  maxRunning: 8,
  maxPartBytes: 400,
  cacheBytes: 1_500,
  foldBytes: 3_000,
  foldRowsPerTurn: 3,
} as const;

/** Puts them in the place of the real ones when protocol/limits.ts is loaded. */
export const SMALL_LIMITS_PATCHES: readonly Patch[] = [
  {
    file: "protocol/limits.ts",
    find: "export const LIMITS = {",
    replace: `const SMALL = ${JSON.stringify(SMALL_LIMITS)} as Record<string, number>;\nconst REAL = {`,
  },
  {
    file: "protocol/limits.ts",
    find: "\n} as const;\n",
    replace: "\n} as const;\nexport const LIMITS: typeof REAL = { ...REAL, ...SMALL };\n",
  },
];
