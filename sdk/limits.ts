/** Every bound of the sdk by name; a public description that breaks one is refused when the app is defined. */

/** Bytes of UTF-8 in a key. */
export const KEY_MAX_BYTES = 512;
/** Characters in the name of a service, function, refusal, stream, flow, view, collection or field. */
export const NAME_MAX_LENGTH = 64;
/** Characters in the name of a tenant. */
export const TENANT_MAX_LENGTH = 128;
/** Key groups: the fixed number of shares that keys are hashed to. A power of two; partitions own whole groups. */
export const KEY_GROUPS = 1024;
export const PARTITIONS_DEFAULT = 4;
/** Partitions of one domain: its one coordinator hears each of them in every epoch. */
export const PARTITIONS_MAX = 256;
/** Nesting of a state or argument value; above what the ingress admits, so that state may wrap an input. */
export const VALUE_MAX_DEPTH = 1_000;
/** Faults that are told of one value; a long array may have as many as it has elements. */
export const ISSUES_MAX = 100;
/** Characters of the path of such a fault, and of its message. */
export const ISSUE_MAX_LENGTH = 256;
/** Declared fields of a stream; what the kernels take. */
export const FIELDS_MAX = 32;
/** Objects in an event that declared fields are in, at all depths; one more, of an envelope around the event, is what the kernels take. */
export const EVENT_OBJECTS_MAX = 14;
/** Outputs of one aggregate step. */
export const OUTPUTS_MAX = 32;
/** Distinct fields that one flow sums or compares; the kernels keep this many measures per group. */
export const MEASURES_MAX = 8;
/** Tests in the filter of one flow. */
export const TESTS_MAX = 32;
/** Parts of one expression. */
export const EXPRESSION_MAX = 256;
/** Operators and sinks of one flow. */
export const FLOW_NODES_MAX = 64;
/** Fields that a flow is keyed by together. */
export const KEY_FIELDS_MAX = 8;
/** Shares that the keys of one operator are spread to, and at most: each has an entity of its own. */
export const SHARDS_DEFAULT = 16;
export const SHARDS_MAX = 256;
/** Windows that one event is in, at most: length over slide. */
export const SLIDES_MAX = 1_000;
/** Rows that one group's top-k or collect keeps. */
export const ROWS_KEPT_MAX = 1_000;
/** How long an output stream keeps its events, unless it declares something else; ms. */
export const RETENTION_DEFAULT_MS = 24 * 60 * 60 * 1_000;
/** Milliseconds of a duration in a flow: 366 days. */
export const DURATION_MAX_MS = 366 * 24 * 60 * 60 * 1_000;
/** Milliseconds that a transaction may be given: more than the ticks by which deadlines are looked at, and less than the edge waits. */
export const TRANSACTION_DEADLINE_MIN_MS = 1_000;
export const TRANSACTION_DEADLINE_MAX_MS = 29_000;
/** Versions of a service's state. */
export const STATE_VERSION_MAX = 999_999_999;
/** Milliseconds for which results of Idempotency-Keys are kept, unless the app says otherwise, and the bounds of what it may say. */
export const RESULT_RETENTION_DEFAULT_MS = 24 * 60 * 60 * 1_000;
export const RESULT_RETENTION_MIN_MS = 60 * 1_000;
export const RESULT_RETENTION_MAX_MS = 30 * 24 * 60 * 60 * 1_000;
/** Attempts of an effect, unless it says otherwise, and at most. */
export const EFFECT_ATTEMPTS_DEFAULT = 10;
export const EFFECT_ATTEMPTS_MAX = 100;
/** Milliseconds behind an effect's first attempt; they double up to the other, and may be declared up to a day. */
export const EFFECT_DELAY_DEFAULT_MS = 1_000;
export const EFFECT_DELAY_MAX_DEFAULT_MS = 10 * 60 * 1_000;
export const EFFECT_DELAY_MAX_MS = 24 * 60 * 60 * 1_000;
/** Milliseconds that one attempt of an effect may take: a pending call keeps its partition awake. */
export const EFFECT_TIMEOUT_DEFAULT_MS = 30_000;
export const EFFECT_TIMEOUT_MAX_MS = 5 * 60 * 1_000;
/** Characters of the name of an effect's share. */
export const EFFECT_SHARE_MAX_LENGTH = 300;
/** Characters of an effect's error as it is told. */
export const EFFECT_ERROR_MAX_LENGTH = 1_000;
/** Redirects of a webhook that are followed. */
export const WEBHOOK_HOPS_MAX = 3;
/** Messages, and bytes of them, that a queue takes at a time; bytes of one; and what is beside an event in its message, with the platform's own. */
export const QUEUE_BATCH_MESSAGES = 100;
export const QUEUE_BATCH_BYTES = 256_000;
export const QUEUE_MESSAGE_BYTES = 128_000;
export const QUEUE_MESSAGE_OVERHEAD = 256;
/** Events of a flow in one webhook, and their bytes. */
export const WEBHOOK_EVENTS_MAX = 100;
export const WEBHOOK_EVENTS_BYTES = 256 * 1024;
/** Deliveries of one end of a flow that may be under way at a time. */
export const EGRESS_AT_A_TIME_MAX = 16;
/** How much earlier or later than now a webhook may say that it was sent, in milliseconds. */
export const WEBHOOK_TOLERANCE_MS = 5 * 60 * 1_000;
/** Milliseconds for which a promise that is settled, and a saga that has ended, can be looked at. */
export const PROMISE_KEPT_MS = 7 * 24 * 60 * 60 * 1_000;
export const SAGA_KEPT_MS = 30 * 24 * 60 * 60 * 1_000;
/** Steps of a saga. */
export const SAGA_STEPS_MAX = 100;
/** Attempts of a saga's step, and of its compensation, unless it says otherwise, and at most. */
export const SAGA_ATTEMPTS_DEFAULT = 5;
export const SAGA_ATTEMPTS_MAX = 100;
/** Milliseconds behind a step's first error; they double up to the other, unless they are more from the start. */
export const SAGA_DELAY_DEFAULT_MS = 1_000;
export const SAGA_DELAY_MAX_MS = 10 * 60 * 1_000;
/** Bytes of one stored value as it is encoded: a state, or an entry of a collection. */
export const VALUE_MAX_BYTES = 1024 * 1024;
/** Bytes of a saga's state that results leave free, and characters of an error that fit into that: it can always say why it does not complete. */
export const SAGA_SPARE_BYTES = 4 * 1024;
export const SAGA_ERROR_LENGTH = 300;
/** Milliseconds that a message is tried before it is given up, at least: a younger saga has lost none. */
export const SAGA_PATIENCE_MS = 5 * 60 * 1_000;
/** Characters of what a reply is about. */
export const REPLY_ABOUT_MAX_LENGTH = 1_000;
/** Schedules that one service declares. */
export const SCHEDULES_MAX = 100;
/** Characters in the name of a schedule. */
export const SCHEDULE_NAME_MAX = 128;
/** Tries at a message that a service may ask for before it is a dead letter. */
export const MESSAGE_ATTEMPTS_MAX = 20;
export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;

if ((KEY_GROUPS & (KEY_GROUPS - 1)) !== 0) throw new Error("KEY_GROUPS must be a power of two");
if (PARTITIONS_MAX > KEY_GROUPS) throw new Error("a partition must be able to own a key group");
