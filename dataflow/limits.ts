/** Every bound of the dataflow folder by name. */

/** Open (key, window) groups of one flow; at about 100 bytes each they must fit beside a partition's other memory. */
export const GROUPS_MAX = 200_000;
