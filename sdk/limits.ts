/** Every bound of the sdk by name; a public description that breaks one is refused when the app is defined. */

/** Bytes of UTF-8 in a key. */
export const KEY_MAX_BYTES = 512;
/** Characters in the name of a service, function, refusal, stream, flow, view, collection or field. */
export const NAME_MAX_LENGTH = 64;
/** Key groups: the fixed number of shares that keys are hashed to. A power of two; partitions own whole groups. */
export const KEY_GROUPS = 1024;
export const PARTITIONS_DEFAULT = 4;
/** Partitions of one domain: its one coordinator hears each of them in every epoch. */
export const PARTITIONS_MAX = 256;
/** Nesting of a state or argument value; above what the ingress admits, so that state may wrap an input. */
export const VALUE_MAX_DEPTH = 1_000;
/** Faults that are told of one value; a long array may have as many as it has elements. */
export const ISSUES_MAX = 100;
/** Declared fields of a stream; what the kernels take. */
export const FIELDS_MAX = 32;
/** Outputs of one aggregate step. */
export const OUTPUTS_MAX = 32;
/** Distinct fields that one flow sums or compares; the kernels keep this many measures per group. */
export const MEASURES_MAX = 8;
/** Tests in the filter of one flow. */
export const TESTS_MAX = 32;
/** Milliseconds of a duration in a flow: 366 days. */
export const DURATION_MAX_MS = 366 * 24 * 60 * 60 * 1_000;
/** Milliseconds that a transaction may be given: more than the ticks by which deadlines are looked at, and less than the edge waits. */
export const TRANSACTION_DEADLINE_MIN_MS = 1_000;
export const TRANSACTION_DEADLINE_MAX_MS = 29_000;
/** Versions of a service's state. */
export const STATE_VERSION_MAX = 999_999_999;
export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;

if ((KEY_GROUPS & (KEY_GROUPS - 1)) !== 0) throw new Error("KEY_GROUPS must be a power of two");
if (PARTITIONS_MAX > KEY_GROUPS) throw new Error("a partition must be able to own a key group");
