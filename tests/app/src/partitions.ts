/** How many partitions the app of the tests has; its tests choose keys by it. */

/** Tests of a changed configuration replace this line in the bundle. */
export const PARTITIONS: number = 4;
