/**
 * What the flows have otherwise in each version of the app's code, where that is deployed anew while they run: an operator and a stream are added, two are defined
 * anew and so begin empty, all else keeps what it has, though it stands at another place, behind a filter, or under another first stream. Two flows, one of
 * operators and the window kernel's, are changed by mistake, and take nothing until the next version.
 */

/** Of the app, the first being the one that all other seeds have. */
export const FLOW_VERSIONS = 3;
export const LAST_FLOW_VERSION = FLOW_VERSIONS - 1;

/** Operators whose state a version loses that follows on another, by flow. */
export const DROPPED = { windows: ["firsts", "counted"], joins: ["newest"], emits: ["fired"] } as const;

/** For how long a value is known; ms of event time. Another is another definition of `firsts`. */
export const firstsTtl = (version: number): number => (version === 0 ? 120 : 200);
/** `counted` is there, and the stream `flow-newer`. */
export const isCounting = (version: number): boolean => version > 0;
/** Steps and ends are in another order, `newest` has a condition that is always met, and filters leave all that comes. */
export const isTurned = (version: number): boolean => version === 1;

/**
 * What keeps the timers of what functions emit is another, and so is what the window kernel counts; neither is named. If there is any, the flow
 * takes nothing until the next version.
 */
export const isRefusing = (version: number): boolean => version === 1;

/** Above the numbers of all events. */
const MARK = 10_000_000;

/** What the number of an event is raised by in the list of what a flow has taken: by it the version is known that took it. */
export const markOf = (version: number): number => version * MARK;
export const numberOf = (logged: number): number => logged % MARK;
export const versionOf = (logged: number): number => Math.floor(logged / MARK);
