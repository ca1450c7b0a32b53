/** What the kernels offer to the rest of the project, apart from how they are built: the interface that `protocol/` is written against. */

/** Layout of one kind of packed table: how many u32 columns and how many variable-length text fields a row has. */
export interface TableSpec {
  /** Distinguishes frames from records and from each other; 16 bits. */
  readonly kind: number;
  /** Version of this kind's layout; a reader refuses versions that it does not know. */
  readonly version: number;
  readonly columns: number;
  readonly fields: number;
}

/** A table as it goes in: plain arrays, row after row. */
export interface TableInput {
  readonly rows: number;
  /** `rows * spec.columns` unsigned 32-bit values, row-major. */
  readonly columns: readonly number[] | Uint32Array;
  /** `rows * spec.fields` strings, row-major. Lone surrogates become U+FFFD. */
  readonly fields: readonly string[];
  /** Opaque bytes carried behind the rows. */
  readonly tail?: Uint8Array | undefined;
  /** Bytes before the tail, in its own memory, that may be written: where they are enough for the table's head it is put there, and the tail is not copied. */
  readonly room?: number | undefined;
}

/** A table as it comes out: verified, copied out of Wasm memory, safe to keep. A long tail is a view of the bytes that were given. */
export interface Table {
  readonly rows: number;
  /** Row-major. */
  column(row: number, column: number): number;
  field(row: number, field: number): string;
  readonly tail: Uint8Array;
}

/** Thrown for bytes that are not what they claim to be: wrong magic, kind, version, length or checksum. They are never applied. */
export class CorruptError extends Error {
  override readonly name = "CorruptError";
  /** What was wrong: `magic`, `kind`, `version`, `length`, `checksum`. */
  readonly reason: CorruptReason;
  constructor(reason: CorruptReason, detail: string) {
    super(`corrupt bytes (${reason}): ${detail}`);
    this.reason = reason;
  }
}
export type CorruptReason = "magic" | "kind" | "version" | "length" | "checksum";

/** Where JSON text stops being JSON. */
export interface JsonFault {
  /** 1-based; counts LF. */
  readonly line: number;
  /** 0-based offset in bytes from the start of the text. */
  readonly offset: number;
  /**
   * Stable word: `empty`, `unexpected-byte`, `unexpected-end`, `unterminated-string`, `control-character`, `bad-escape`,
   * `bad-number`, `bad-utf8`, `too-deep`, `trailing-bytes`.
   */
  readonly code: string;
}

/**
 * A line of a batch that cannot be routed; the other lines go on. Codes when the JSON itself is sound: `not-object`,
 * `line-too-large`, and of a member `missing`, `wrong-type`, `empty-member`, `bad-surrogate` (a lone surrogate escape, which no
 * UTF-8 can hold), `key-too-large`.
 */
export interface BatchFault extends JsonFault {
  /** The member at fault, when the JSON itself is sound. */
  readonly member?: "service" | "key" | "function" | "input" | "id" | undefined;
}

/** One frame of invocations bound for one partition. */
export interface RoutedFrame {
  readonly partition: number;
  readonly rows: number;
  /** A packed table of the spec that was asked for. */
  readonly bytes: Uint8Array;
}

export interface RouteOptions {
  /**
   * Kind and version for the frames; must have 4 columns (line, flags, fingerprint low, fingerprint high) and 5 fields
   * (request id, service, key, function, input JSON as it stood in the line, empty when absent). Flags is 1 when the request
   * id is derived from the client's key, else 0. The fingerprint is xxh64 of service, NUL, key, NUL, function, NUL, input.
   */
  readonly spec: TableSpec;
  /** Partition of each key group; its length is a power of two. */
  readonly groups: Uint16Array;
  /** First 24 characters of every request id without a client's id; the line number in 8 hex digits follows. */
  readonly edgeId: string;
  /** 16 bytes that identify caller, path and Idempotency-Key; null when the request had none. With it, a line's request id is `c` + 31 hex digits derived from it and the line's `id` (or, without `id`, the line number; neither can be mistaken for the other, nor the id 1 for the id "1"). Without it, `id` is checked and ignored. */
  readonly clientScope: Uint8Array | null;
  /** Rows a frame holds at most; order of lines is kept within a partition. */
  readonly maxRows: number;
  /** Bytes a frame holds at most, unless a single row is larger. */
  readonly maxBytes: number;
  /** Lines in a batch at most; beyond it `tooManyLines` is set and nothing is routed. */
  readonly maxLines: number;
}

export interface RoutedBatch {
  /** Lines of the body, blank ones included; `maxLines + 1` when there are too many, since counting stops there. */
  readonly lines: number;
  readonly frames: readonly RoutedFrame[];
  readonly faults: readonly BatchFault[];
  readonly tooManyLines: boolean;
}

/** Type of a declared event field. `i64` is exact. */
export type ColumnType = "i64" | "f64" | "text" | "bool";
export interface EventColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** An event may be without it, or have null there; the column then has no value in that row. */
  readonly optional?: boolean | undefined;
  /** Names of the members that lead to the value, the event's own first; [name] when it is not given. */
  readonly path?: readonly string[] | undefined;
}

/**
 * How the events of a body are written: `ndjson` a line each; `json` one JSON text, an array of events or one event; `object` one event;
 * `cloudevent` and `cloudevents` the structured and the batched content mode of CloudEvents 1.0 in JSON format, where the event is the
 * `data` of its envelope.
 */
export type EventFormat = "ndjson" | "json" | "object" | "cloudevent" | "cloudevents";

/** An event batch refused as a whole. The code `columns-too-large` is of the first event with which its columns would be longer than a message may be. */
export interface EventFault extends JsonFault {
  /**
   * What is at fault when the JSON itself is sound: a declared field, by its column's name, or an attribute of a CloudEvent. Codes then:
   * `missing`, `wrong-type`, `out-of-range`, `bad-surrogate`; of attributes also `wrong-version` (not CloudEvents 1.0), `not-json` (data
   * of another media type) and `unsupported` (binary data).
   */
  readonly field?: string | undefined;
}

/** What makes a CloudEvent the same one when it comes again. */
export interface EventIdentity {
  readonly source: string;
  readonly id: string;
}

/** How a body of events is read. */
export interface ParseOptions {
  /**
   * The body is of no use afterwards where it is long: its memory is given back before the frame is made, and the frame has
   * `EVENT_FRAME_ROOM` bytes before it for {@link TableInput.room}.
   */
  readonly spend?: boolean;
  /** Names of the columns that the frame has, all when it is not given; the others are checked all the same. Not to be changed later. */
  readonly only?: readonly string[] | undefined;
  /**
   * A text of several rows may have several codes: where nearly all of a column's first texts differ, the others are not looked for among
   * those that are there. The same body still gives the same frame.
   */
  readonly repeats?: boolean;
}

export type ParsedEvents =
  | {
      readonly ok: true;
      readonly rows: number;
      /** The declared columns as one checksummed frame, for {@link Kernels.openWindow}'s `apply`. */
      readonly frame: Uint8Array;
      /** Bytes before the frame in its memory that are nobody's. */
      readonly room?: number | undefined;
      /** xxh64 of the body, as two u32: low, high; the same as its `checksum`. The batch's fingerprint. */
      readonly fingerprint: readonly [number, number];
      /** Of a body in format `cloudevent` only. */
      readonly identity?: EventIdentity | undefined;
    }
  | { readonly ok: false; readonly fault: EventFault };

/** Texts as ranges of one piece of UTF-8: offsets of the first byte of each, and of that behind its last. */
export interface TextRanges {
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/**
 * Arithmetic, comparisons and conditions over columns. Registers are the constants, then the columns, then one for each instruction, in order;
 * column-program.ts has the instructions. What a register holds, numbers or conditions, is for who makes the program to know.
 */
export interface ColumnProgram {
  /** Five words an instruction: its number, the register that it writes, and three that it reads, 0 for those that it does not. */
  readonly code: Uint32Array;
  readonly constants: Float64Array;
  /** The register that is the result. */
  readonly result: number;
  /** The result are conditions. */
  readonly conditions: boolean;
}

/** The rows of a columns frame that one partition has. */
export interface SplitFrame {
  readonly partition: number;
  readonly rows: number;
  /** A columns frame; its strings are those of its rows only. */
  readonly frame: Uint8Array;
}

export type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";
/** `column op value`; all of a list must hold. Text columns know `eq` and `ne` only. */
export interface ColumnTest {
  readonly column: number;
  readonly op: Comparison;
  readonly value: bigint | number | string;
}

/** A filter, a key, a tumbling event-time window and its aggregates, ready for the kernels. Columns are indexes into the stream's declared columns. */
export interface WindowPlan {
  readonly columns: readonly EventColumn[];
  readonly filter: readonly ColumnTest[];
  /** An `i64` or `text` column. */
  readonly key: number;
  /** An `i64` column, milliseconds since 1970. */
  readonly time: number;
  /** Window length in milliseconds, above 0. Windows are aligned to 1970, ends exclusive; negative times floor. */
  readonly size: number;
  /** Numeric columns for which sum, min and max are kept; each group always keeps its count. At most 8. */
  readonly measures: readonly number[];
  /** Groups held open at most; a batch that would exceed it is refused before anything changes. */
  readonly maxGroups: number;
}

export interface ApplyOutcome {
  readonly rows: number;
  /** Rows that passed the filter and were not late. */
  readonly applied: number;
  /** Rows that passed the filter but whose window had already closed: counted, not applied. */
  readonly late: number;
  /** Highest event time among all rows of the batch, filtered ones included; null for an empty batch. */
  readonly maxTime: bigint | null;
}

/** One measure of one group. bigint for `i64` columns (sums saturate at the int64 bounds), number for `f64`. */
export interface Measure {
  readonly sum: bigint | number;
  readonly min: bigint | number;
  readonly max: bigint | number;
}
export interface WindowGroup {
  readonly key: bigint | string;
  /** Window start in milliseconds. */
  readonly start: bigint;
  readonly count: bigint;
  readonly measures: readonly Measure[];
}

/** Packed groups, verified and decoded one at a time. Ordered by (start, key), text keys by code points. */
export interface PackedGroups {
  readonly rows: number;
  group(row: number): WindowGroup;
  /** Rows of one key, given as text (a number in decimal), ascending. */
  rowsOf(key: string): number[];
}

export interface BatchBounds {
  /**
   * Milliseconds that time is behind the latest of the batch when that is taken. Windows that end then do not count: close them before the next
   * batch. Without it time stays where it is.
   */
  readonly outOfOrderness?: number | undefined;
  /** Bytes that open groups may take. */
  readonly bytes?: number | undefined;
}

/** Operator state of one windowed flow in Wasm memory: groups by (key, window). Single owner; its methods are synchronous and atomic: an error before `apply` returns leaves it unchanged. */
export interface WindowState {
  /**
   * Verifies the frame, filters, and adds its rows. Windows that end at or before `watermark` are closed to new rows.
   * @throws CorruptError, or RangeError("too-many-groups") with nothing changed: of windows that go on there would be more groups than `maxGroups`,
   * or they would take more bytes than they may, and more than before.
   */
  apply(frame: Uint8Array, watermark: bigint, bounds?: BatchBounds): ApplyOutcome;
  /**
   * Groups touched since the last call, with their absolute values and the text of their keys, and how far windows were
   * closed: loading all deltas in order gives this state, closed windows included. Empty array when there was nothing.
   */
  takeDelta(): Uint8Array;
  /** Removes every group whose window ends at or before `watermark`, and returns them packed, ordered by (start, key); empty array when none. */
  close(watermark: bigint): Uint8Array;
  /** All open groups, packed like a delta; `load` of it gives the same state. The same groups always give the same bytes, here and in deltas, from the kernel and from its twin. Deltas are not affected. */
  snapshot(): Uint8Array;
  /** Open groups of one key, given as text (a number in decimal), packed like a snapshot; empty array when there are none. Others are neither sorted nor packed. */
  groupsOf(key: string): Uint8Array;
  /**
   * Applies a delta or a snapshot over the present state; an empty array is no change. What was loaded is not in the next delta. `maxGroups` is not enforced here.
   * @throws CorruptError for damaged bytes or those of another key type, window length or measures, with nothing changed.
   */
  load(bytes: Uint8Array): void;
  readonly groups: number;
  /** Bytes of Wasm memory held. */
  readonly bytes: number;
  /** Of these, what open groups take, room for more and the like left out. A key counts with each of its groups. */
  readonly held: number;
  /** Bytes of that that one group takes, without the text of its key. */
  readonly groupBytes: number;
  /** Gives its memory back; no use after that. */
  free(): void;
}

/** What a row of a sorted block says of its key, beside its text. */
export const BLOCK_FLAG = {
  /** The key holds nothing; hides what older blocks hold under it. */
  deleted: 1,
  /** What older blocks hold under keys that begin with this one is void, this key's own text there included. */
  cleared: 2,
} as const;

/** Rows as they go into a block: keys ascending by their UTF-8 bytes, each once, one item of each list a row. */
export interface BlockInput {
  readonly flags: readonly number[];
  readonly keys: readonly string[];
  readonly texts: readonly string[];
  /** Opaque bytes carried behind the rows. */
  readonly tail: Uint8Array;
}
export interface BlockRow {
  readonly flags: number;
  readonly key: string;
  readonly text: string;
}

/** A sorted block, a packed table of one column (flags) and two fields (key, text), with what an index of blocks keeps of it. */
export interface SealedBlock {
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly first: string;
  readonly last: string;
  /** For {@link Kernels.mayHold}: which keys the block does not have. */
  readonly filter: Uint8Array;
}

export interface MergeInput {
  /** Kind and version of the blocks; 1 column, 2 fields. */
  readonly spec: TableSpec;
  /** The newer rows, and the older ones: blocks that ascend and do not overlap. */
  readonly upper: readonly Uint8Array[];
  readonly lower: readonly Uint8Array[];
  /** Newer rows at or above this key are left over; null for none. */
  readonly until: string | null;
  /** There is nothing older than `lower`: flags have done their work, and deleted rows are left out. */
  readonly bottom: boolean;
  /** Bytes that a merged block should have at most; it may exceed them by one row. */
  readonly blockBytes: number;
  readonly mergedTail: Uint8Array;
  readonly restTail: Uint8Array;
}
export interface Merge {
  readonly merged: readonly SealedBlock[];
  readonly rest: readonly SealedBlock[];
}

/**
 * The Wasm core of one object. One instance per object: a module-level instance would be shared by every object of the isolate.
 * Calls are synchronous; results are copied out before they return, so nothing the caller holds points into Wasm memory.
 */
export interface Kernels {
  /** murmur3 x86 32-bit, seed 0, of the key's UTF-8 bytes: the hash that decides key groups. Never to change. */
  hashKey(key: string): number;
  /** xxh64 with seed 0, as 16 lower-case hex digits. */
  checksum(bytes: Uint8Array): string;
  /** Packs rows into one checksummed table. @throws RangeError above the named size limit. */
  pack(spec: TableSpec, input: TableInput): Uint8Array;
  /** @throws CorruptError; nothing is returned for damaged bytes. */
  unpack(spec: TableSpec, bytes: Uint8Array): Table;
  /** Validates one JSON text (RFC 8259, UTF-8) without building it; null when sound. */
  checkJson(bytes: Uint8Array): JsonFault | null;
  /** NDJSON lines `{"service","key","function","input"?,"id"?}` to per-partition frames, input left as bytes. */
  routeBatch(body: Uint8Array, options: RouteOptions): RoutedBatch;
  /**
   * Events to typed columns, fully validated; whole or not at all. `columns` is not to be changed later: what is made of it is kept.
   * The format is `ndjson` unless another is given.
   * @throws RangeError `bad-columns: …`, or `body-too-large: …` above 32 MiB.
   */
  parseEvents(
    body: Uint8Array,
    columns: readonly EventColumn[],
    format?: EventFormat,
    options?: ParseOptions,
  ): ParsedEvents;
  /**
   * Splits a frame of these columns by the key group of column `key`, which is not `f64`: `groups` has the partition of each key group, its
   * length a power of two. A key is hashed as `hashKey` hashes its text (decimal, `true`, `false`; the empty text where there is no value).
   * Partitions ascend, rows keep their order, and who has none is left out.
   * @throws CorruptError for damaged bytes or other columns
   */
  splitEvents(frame: Uint8Array, columns: readonly EventColumn[], key: number, groups: Uint16Array): SplitFrame[];
  /**
   * What stands before the first separator of each text (part 0), between two, or behind the last; an empty range at the end of a text that
   * has not so many parts. The separator is not empty.
   */
  splitTexts(bytes: Uint8Array, texts: TextRanges, separator: Uint8Array, part: number): TextRanges;
  /** How often the needle, which is not empty, is in each text, counted up to `most`; occurrences do not overlap. */
  countInTexts(bytes: Uint8Array, texts: TextRanges, needle: Uint8Array, most: number): Uint32Array;
  /**
   * Runs a program over columns of doubles, and of bytes that are conditions, 1 or 0. Whole numbers are exact: null when one came to be beyond
   * 2^53 - 1 on the way, which doubles cannot have.
   * @throws RangeError `bad-program: …`
   */
  runProgram(
    program: ColumnProgram,
    columns: readonly (Float64Array | Uint8Array)[],
    rows: number,
  ): Float64Array | Uint8Array | null;
  /** @throws RangeError `bad-plan: …` or `bad-columns: …` */
  openWindow(plan: WindowPlan): WindowState;
  /** Reads what `close`, `takeDelta` or `snapshot` packed, ordered by (start, key), text keys by code points. @throws CorruptError */
  readGroups(bytes: Uint8Array): WindowGroup[];
  /** The same, to look into: for groups of which few are needed. The bytes are not to be changed later. @throws CorruptError */
  openGroups(bytes: Uint8Array): PackedGroups;
  /** Packs rows into one sorted block, whatever its size. */
  sealBlock(spec: TableSpec, input: BlockInput): SealedBlock;
  /** @throws CorruptError for a damaged block */
  checkBlock(spec: TableSpec, bytes: Uint8Array): void;
  /** The row of a key, or null. @throws CorruptError for a damaged block */
  findInBlock(spec: TableSpec, bytes: Uint8Array, key: string): BlockRow | null;
  /** Rows with `from <= key < to`, at most `limit`, ascending or descending. @throws CorruptError for a damaged block */
  rowsOfBlock(
    spec: TableSpec,
    bytes: Uint8Array,
    range: { readonly from: string; readonly to: string; readonly limit: number; readonly reverse: boolean },
  ): BlockRow[];
  /** Newer rows over older ones: each key once, what was cleared left out. @throws CorruptError for a damaged block */
  mergeBlocks(input: MergeInput): Merge;
  /** False when the block with this filter has no row of the key, or none with the flag `cleared`. True proves nothing. */
  mayHold(filter: Uint8Array, key: string, cleared: boolean): boolean;
}
