/** Every named limit of the kernels, shared by the Wasm side, the façade and the twins; plain numbers so that AssemblyScript can read this file too. */

/** Nesting of JSON containers; deeper text is refused as `too-deep`. JSON.parse has no such limit, but user code that walks the value would overflow its stack. */
export const MAX_NESTING = 512;

/** Bytes of UTF-8 in a key, as the HTTP contract has it. */
export const MAX_KEY_BYTES = 512;

/** Bytes of one packed table: what one RPC message carries (32 MiB), less a megabyte for the call around it. */
export const MAX_TABLE_BYTES = 31 * 1024 * 1024;

/** A longer tail of a table does not go through Wasm memory as a whole, but slice by slice. */
export const MAX_TABLE_TAIL_INSIDE = 1024 * 1024;

/** Bytes of a batch body that lie in Wasm memory at a time, so that memory follows the slice and not the body; a longer line grows its slice. */
export const BATCH_SLICE_BYTES = 4 * 1024 * 1024;

/** Bytes hashed per copy into Wasm memory; a multiple of xxh64's 32-byte stripe. */
export const HASH_SLICE_BYTES = 1024 * 1024;

/** Scratch memory kept from call to call; what a call took beyond it is given back when the next call starts. */
export const MAX_KEPT_SCRATCH_BYTES = 8 * 1024 * 1024;

/** Bytes behind every scratch block that kernels may read or overwrite, for SIMD at the end of a text. */
export const SLACK_BYTES = 64;

/** Bytes that the cells of a batch of events may take while it is read, those of columns that its frame is not to have included. */
export const MAX_CELL_BYTES = 4 * MAX_TABLE_BYTES;

/** Bytes of an event body, as the HTTP contract has it. */
export const MAX_EVENT_BODY_BYTES = 32 * 1024 * 1024;

/** Columns that a stream declares; a row's columns are the bits of a u32. */
export const MAX_EVENT_COLUMNS = 32;

/** Objects in an event that hold declared fields, at all depths together; an envelope around the event is one of them. */
export const MAX_EVENT_OBJECTS = 15;

/** Bytes of an event body that lie in Wasm memory at a time, beside an unfinished line; a multiple of xxh64's 32-byte stripe, small enough to stay in the processor's cache. */
export const EVENT_SLICE_BYTES = 256 * 1024;

/** Input buffer kept from one event batch to the next; a longer one, made for a long line, is given back. */
export const MAX_KEPT_EVENT_BUFFER = 1024 * 1024;

/** A parsed frame that stays in Wasm memory until the next batch, so that applying it need not copy it back; a longer one is given back. */
export const MAX_KEPT_FRAME = 8 * 1024 * 1024;

/** Bytes before a long frame that are left free for the head of the message that it goes into. */
export const EVENT_FRAME_ROOM = 4 * 1024;

/** Milliseconds from 1970 that the time of an event counts for, at most: those of `Date`. */
export const MAX_EVENT_TIME = 8640000000000000;

/** Measures of a window plan. */
export const MAX_WINDOW_MEASURES = 8;

/** Bits of a block's filter for each key, and how many of them a key sets: about three absent keys in a thousand seem to be there. */
export const FILTER_BITS_PER_KEY = 12;
export const FILTER_PROBES = 8;

/** Mixed into the hash of a key for its second entry in a filter, which says that the key is cleared. Stored with filters: never to change. */
export const FILTER_CLEARED_SALT = 0x5bd1e995;
