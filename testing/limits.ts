/** Limits of tests. */

/** Simulated ms until a partition's answer is taken for lost and the request is sent again, doubling up to so many times that. */
export const RESEND_MS = 250;
export const RESEND_LONGEST = 8;
/** Simulated ms after which a request that nobody answers has failed: below the two minutes for which the engine knows the ids that the edge makes. */
export const REQUEST_MS = 110_000;
/** How long a domain may take to come to rest, in simulated or real ms. */
export const DRAIN_MS = 120_000;
export const DRAIN_REAL_MS = 20_000;
/** How long the platform may take to replace an object, in real ms. */
export const CRASH_REAL_MS = 5_000;
/** Between two looks whether it has. */
export const LOOK_MS = 50;
export const LOOK_REAL_MS = 10;
/** Partitions that a simulated domain may grow to. */
export const PARTITIONS_MOST = 16;
