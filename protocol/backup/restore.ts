/**
 * The partition's side of a restore. Tables are committed like other changes, in order, each with the durable mark of how far it has come, so
 * that a crash costs nothing. Until the backup is known to be sound as a whole the partition serves nothing; then the mark says so, and the next
 * instance does.
 */
import { CorruptError, type Kernels } from "../../core-wasm/types.ts";
import type { StorageOp } from "../partition/effects.ts";
import { cut } from "../record/record.ts";
import { LIMITS } from "../limits.ts";
import type { StoredResult } from "../results/stored-result.ts";
import type { Write } from "../state/store.ts";
import type { Peer } from "../wire/messages.ts";
import type { RestoreAnswer } from "./asks.ts";
import { BACKUP_ROW, type BackupRow, type BackupTable, decodeTable, type PartitionEnd } from "./table.ts";
import { restoredResult } from "./tables.ts";

/** Name in `meta` of the mark. */
export const RESTORE_MARK = "restore";

interface Mark {
  readonly id: string;
  readonly state: "staging" | "done";
  readonly next: number;
  readonly pairs: number;
  readonly results: number;
  readonly end: PartitionEnd | null;
}

export interface RestoreParts {
  readonly kernels: Kernels;
  readonly self: Peer;
  readonly incarnation: number;
  /** What deletes all that is stored here, if nobody has used it yet; null when somebody has. */
  unused(): Write[] | null;
  /** Commits these and writes them, together with what `ops` says: one turn. */
  take(writes: readonly Write[], results: readonly StoredResult[], ops: readonly StorageOp[]): void;
  persist(ops: readonly StorageOp[]): void;
  /** Number of the newest record. */
  newestSeq(): number;
}

/** Thrown for an ask that cannot be met as things stand. */
export class RestoreRefused extends Error {
  override readonly name = "RestoreRefused";
  readonly type: "domain-not-empty" | "admin-busy" | "invalid-backup";
  constructor(type: RestoreRefused["type"], message: string) {
    super(message);
    this.type = type;
  }
}

export class Restore {
  readonly #parts: RestoreParts;
  #mark: Mark | null;

  constructor(stored: string | undefined, parts: RestoreParts) {
    this.#parts = parts;
    this.#mark = stored === undefined || stored === "" ? null : (JSON.parse(stored) as Mark);
  }

  /** What is here is not to be served. */
  get isStaging(): boolean {
    return this.#mark?.state === "staging";
  }

  /** To begin it changes nothing any more: it was begun, or another is under way. */
  isBegun(id: string): boolean {
    return this.#mark !== null && (this.#mark.id === id || this.isStaging);
  }

  begin(id: string): RestoreAnswer {
    if (this.isBegun(id)) return answer(this.#of(id));
    const unused = this.#parts.unused();
    if (unused === null) throw new RestoreRefused("domain-not-empty", "a backup is restored into an empty domain only");
    this.#mark = { id, state: "staging", next: 0, pairs: 0, results: 0, end: null };
    // What the backup has of the same kind would stand beside it.
    if (unused.length > 0) this.#parts.take(unused, [], [this.#markOp()]);
    else this.#parts.persist([this.#markOp()]);
    return { ...answer(this.#mark), begins: true };
  }

  #of(id: string): Mark {
    const mark = this.#mark;
    if (mark === null || mark.id !== id) {
      const detail =
        mark === null ? "no restore was begun here" : `another restore is under way here, of backup ${mark.id}`;
      throw new RestoreRefused("admin-busy", detail);
    }
    return mark;
  }

  /** Takes the next table; one that was taken already is acknowledged. @throws CorruptError, RestoreRefused with nothing changed */
  table(id: string, bytes: Uint8Array): RestoreAnswer {
    const mark = this.#of(id);
    const table = decodeTable(this.#parts.kernels, bytes);
    if (table.id !== id || table.partition !== this.#parts.self)
      throw new RestoreRefused("invalid-backup", "a table of another backup or partition is among these");
    if (mark.state === "done" || table.number < mark.next) return answer(mark);
    if (table.number !== mark.next || mark.end !== null)
      throw new RestoreRefused("invalid-backup", `table ${mark.next} of partition ${table.partition} is missing`);
    this.#take(mark, table);
    return answer(this.#mark as Mark);
  }

  #take(mark: Mark, table: BackupTable): void {
    const rows = new Rows(table);
    const pairs = mark.pairs + rows.writes.length;
    const results = mark.results + rows.results.length;
    if (rows.end && (rows.end.pairs !== pairs || rows.end.results !== results))
      throw new RestoreRefused("invalid-backup", `partition ${table.partition} lacks pairs or results`);
    this.#mark = { ...mark, next: mark.next + 1, pairs, results, end: rows.end };
    this.#parts.take(rows.writes, rows.results, [...rows.ops, this.#markOp()]);
  }

  /** The whole backup is sound. The next instance serves it, under an incarnation above that of the partition that was backed up. */
  end(id: string): RestoreAnswer {
    const mark = this.#of(id);
    if (mark.state === "done") return answer(mark);
    const { end } = mark;
    if (end === null) throw new RestoreRefused("invalid-backup", "the end of a partition is missing");
    this.#mark = { ...mark, state: "done" };
    const incarnation = Math.max(this.#parts.incarnation, end.incarnation);
    this.#parts.persist([
      { op: "put-meta", name: "incarnation", value: String(incarnation) },
      { op: "put-meta", name: "forgotten", value: end.forgotten },
      this.#markOp(),
    ]);
    // This instance must not serve: it has not seen what of this only a start reads.
    const told = answer(this.#mark);
    this.#mark = mark;
    return told;
  }

  /**
   * Nothing of it is left. The log goes on where it was, since numbers of records are never used twice. False where there was nothing, or, of what
   * is to be untouched, a table.
   */
  stop(id: string, untouched = false): boolean {
    const mark = this.#mark;
    if (mark === null || mark.id !== id || (untouched && mark.next > 0)) return false;
    if (mark.state === "done") {
      const detail = "this backup is served here already; where others lack it still, send the same again";
      throw new RestoreRefused("domain-not-empty", detail);
    }
    this.#parts.persist([
      { op: "wipe" },
      { op: "put-meta", name: "folded", value: String(this.#parts.newestSeq()) },
      { op: "put-meta", name: RESTORE_MARK, value: "" },
    ]);
    return true;
  }

  #markOp(): StorageOp {
    return { op: "put-meta", name: RESTORE_MARK, value: JSON.stringify(this.#mark) };
  }
}

function answer({ state, next, end }: Mark): RestoreAnswer {
  return { state, next, complete: state === "done" || end !== null };
}

/** A checkpoint names the newest record that it includes, of the log that it comes from: of this log it includes none. */
function beforeAll(meta: string): string {
  return JSON.stringify({ ...(JSON.parse(meta) as object), seq: 0 });
}

/** What a table holds, by kind. */
class Rows {
  readonly writes: Write[] = [];
  readonly results: StoredResult[] = [];
  readonly ops: StorageOp[] = [];
  end: PartitionEnd | null = null;

  constructor({ rows, tail }: BackupTable) {
    for (const row of rows) this.#add(row, tail);
  }

  #add(row: BackupRow, tail: Uint8Array): void {
    switch (row.kind) {
      case BACKUP_ROW.pair:
        this.writes.push({ op: "put", key: row.first, text: row.second });
        return;
      case BACKUP_ROW.result:
        this.results.push(restoredResult(row));
        return;
      case BACKUP_ROW.checkpoint:
        for (const [part, bytes] of cut(tail, LIMITS.maxPartBytes).entries())
          this.ops.push({ op: "put-checkpoint", flow: row.first, part, meta: beforeAll(row.second), bytes });
        return;
      case BACKUP_ROW.block:
        for (const [part, bytes] of cut(tail, LIMITS.maxPartBytes).entries()) {
          const through = BigInt(row.second);
          this.ops.push({ op: "put-view-block", flow: row.first, block: row.number, part, through, bytes });
        }
        return;
      case BACKUP_ROW.end:
        this.end = JSON.parse(row.second) as PartitionEnd;
        return;
      default:
        throw new CorruptError("kind", `a backup has a row of unknown kind ${row.kind}`);
    }
  }
}
