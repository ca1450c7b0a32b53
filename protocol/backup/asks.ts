/** What the administration of a domain asks of a partition, and what it is answered. Every ask may come twice. */
import type { KeysFound, RowsFound } from "./browse.ts";

/** Who asks for a standstill, a backup or a restore: a name of its own for each. */
export type AdminId = string;

export type AdminAsk =
  /** Start no transaction any more. Answered {@link FreezeAnswer}; refused while key groups move. */
  | { readonly op: "freeze"; readonly id: AdminId }
  /**
   * Keep the state as it is now, to be read by `table`. Refused unless it stands still, as `freeze` named it, with nothing under way. A pin of another
   * round takes the place of the one before.
   */
  | {
      readonly op: "pin";
      readonly id: AdminId;
      readonly service: string | null;
      readonly standstill: string;
      readonly round: number;
    }
  /** Go on. Answered {@link ThawAnswer}. */
  | { readonly op: "thaw"; readonly id: AdminId; readonly standstill: string | null }
  /**
   * The table of this number, counted from 0: the newest that was asked for, or the one behind it. Answered by its bytes, empty behind the last.
   * {@link NO_TABLE} says that the state is still wanted; older code refuses that, and has taken note of it.
   */
  | { readonly op: "table"; readonly id: AdminId; readonly number: number }
  /** The state need not be kept any longer. */
  | { readonly op: "release"; readonly id: AdminId }
  /** Take a backup in, if nothing is here. Answered {@link RestoreAnswer}, like the next two. */
  | { readonly op: "restore"; readonly id: AdminId }
  | { readonly op: "restore-table"; readonly id: AdminId; readonly bytes: Uint8Array }
  /** All of the backup is known to be sound: serve it. */
  | { readonly op: "restore-end"; readonly id: AdminId }
  /** Forget what was taken in; with `untouched` only if that is no table yet. Answered {@link StoppedAnswer}. */
  | { readonly op: "restore-stop"; readonly id: AdminId; readonly untouched?: boolean }
  /** Forget messages to a key and from it that are not delivered. Answered {@link EraseAnswer}; refused while key groups move. */
  | { readonly op: "erase-messages"; readonly service: string; readonly key: string }
  /** Remove what results, messages and the log hold of a key. Answered in the same way. */
  | { readonly op: "erase"; readonly service: string; readonly key: string }
  /** Keys of a service behind one, from its beginning for null, of those that are kept here. Answered {@link KeysAnswer}. */
  | { readonly op: "keys"; readonly service: string; readonly after: string | null; readonly limit: number }
  /** What is stored under a key, behind a state key. Answered {@link RowsAnswer}; refused for a key that is not kept here. */
  | {
      readonly op: "rows";
      readonly service: string;
      readonly key: string;
      readonly after: string | null;
      readonly limit: number;
    };

export interface ByMap {
  /** Version of the key-group map that says what is kept here. Partitions of versions before this do not name it. */
  readonly map?: number;
}
export type KeysAnswer = KeysFound & ByMap;
export type RowsAnswer = RowsFound & ByMap;

/** In the place of a table's number: none is wanted now. */
export const NO_TABLE = -1;

export interface FreezeAnswer {
  /** Nothing is under way here. */
  readonly quiet: boolean;
  /** Names this standstill: another one, after a break, has another name. */
  readonly standstill: string;
  /** Version of the key-group map: it tells which partitions are to stand still. */
  readonly map: number;
}

export interface ThawAnswer {
  /** It was this standstill that has ended now. */
  readonly held: boolean;
}

export interface RestoreAnswer {
  /** `done`: it serves what was restored. */
  readonly state: "staging" | "done";
  /** Number of the table that it wants next. */
  readonly next: number;
  /** All tables are in. */
  readonly complete: boolean;
  /** It was this ask that began it here. */
  readonly begins?: true;
}

export interface StoppedAnswer {
  /** There was something, and this instance is done for: the next has nothing. */
  readonly restarts: boolean;
}

export interface EraseAnswer {
  /** No record of the log holds what was written before. */
  readonly done: boolean;
}

/** A JSON answer: a value as above, or a problem document. */
export interface AdminReply {
  readonly status: number;
  readonly body: string;
  readonly epoch: string;
  /** What is in memory is not what storage holds: the instance is to start over once this has left. */
  readonly restart?: boolean;
}
