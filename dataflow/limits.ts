/** Every bound of the dataflow folder by name. */

/** Groups (key, window) of one flow that stay open behind a batch; at about 100 bytes each, and with those of one batch more, they must fit beside a partition's other memory. */
export const GROUPS_MAX = 200_000;
/** Groups that one share of a vertex keeps in memory; all are stored, and those beyond are read again when they are needed. */
export const CACHED_GROUPS_MAX = 16_384;
/** Milliseconds from 1970 that the time of an event counts for, at most: those of `Date`. */
export const EVENT_TIME_MAX = 8_640_000_000_000_000;

/** Characters of a side's rows that a join keeps in the entry of their key; longer ones become an entry of their own. */
export const OWN_ROWS_UNITS = 256;

/** Characters of rows in an entry of their own, unless one row alone is longer: a batch may bring more of one key than a value may have. */
export const CHUNK_ROWS_UNITS = 64 * 1024;

/** Pairs of rows that a join looks at together: those that its condition lets go take no memory beside them. */
export const PAIRS_TOGETHER = 64 * 1024;
/** Pairs that a join gives in a batch at one share: they are in memory together. */
export const PAIRS_MAX = 500_000;
/** Results that a share gives in a batch: likewise. */
export const RESULTS_MAX = 500_000;

/** Timers that those of one key may set in a batch for a time that has come already. */
export const TIMERS_STANDING_MAX = 1_000;
/** Timers that those of a share may set that are due in the same batch: they are in memory together. */
export const TIMERS_SET_MAX = 200_000;
