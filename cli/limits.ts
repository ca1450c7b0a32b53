/** Limits of the command line. */

export const PORT_DEFAULT = 8787;
export const PORT_MAX = 65_535;

/** Events a batch, and characters: well below the 32 MiB that a batch may have. */
export const BATCH_LINES = 5_000;
export const BATCH_LINES_MAX = 100_000;
export const BATCH_CHARACTERS = 8_000_000;

/** Ports of servers that are started for a while: below 32768, from where systems hand out ports by themselves. */
export const PORTS_FROM = 20_000;
export const PORTS_TO = 32_768;

export { PARTITIONS_MAX } from "../sdk/limits.ts";
/** Seconds that `grow` waits for keys to move, and how often it looks. */
export const WAIT_DEFAULT_S = 300;
export const WAIT_MAX_S = 86_400;
export const GROW_LOOK_MS = 250;

/** Seconds between two looks of `watch`, and rows that it remembers. */
export const WATCH_EVERY_S = 2;
export const WATCH_EVERY_MAX_S = 3_600;
export const WATCH_ROWS_MAX = 10_000;

/** How long an app may take to start for `check`. */
export const START_MS = 60_000;
export const START_LOOK_MS = 200;
