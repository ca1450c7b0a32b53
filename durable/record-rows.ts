/**
 * Rows of the log. A row whose record is folded is not deleted but holds a later record: to write over it is one row, to delete it and insert
 * another would be two. Which rows are free is not stored: it is those of records that are folded.
 */
import { LIMITS } from "../protocol/limits.ts";
import type { StorageOp } from "../protocol/partition/effects.ts";
import { bytesOf } from "./bytes.ts";
import { openText, SEAL_LENGTH, sealText } from "./damage.ts";
import { RECORD_PARTS } from "./schema.ts";
import type { Sql } from "./sql-meter.ts";

type Op<Name extends StorageOp["op"]> = Extract<StorageOp, { op: Name }>;

const PUT =
  "INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET id = excluded.id, mark = excluded.mark, bytes = excluded.bytes";

interface Row {
  readonly slot: number;
  readonly bytes: number;
}

export class RecordRows {
  readonly #sql: Sql;
  /** Of records that are not folded, by the number of the part. */
  readonly #used = new Map<number, Row>();
  readonly #free: Row[] = [];
  #freeBytes = 0;
  #nextSlot = 1;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /**
   * Finds out which rows there are.
   * @param folded the newest record that is folded
   * @throws CorruptError when it cannot be told of one whether it is free
   */
  open(folded: number): void {
    const rows = [...this.#sql.exec("SELECT slot, id, mark, length(bytes) FROM records").raw()];
    for (const [slot, id, mark, bytes] of rows) {
      // A number that is damaged would make a record look folded.
      openText(String(id), String(mark));
      const row = { slot: slot as number, bytes: bytes as number };
      this.#nextSlot = Math.max(this.#nextSlot, row.slot + 1);
      if ((id as number) < firstId(folded + 1)) this.#release(row);
      else this.#used.set(id as number, row);
    }
  }

  put({ seq, part, mark, bytes }: Op<"record">): void {
    const id = firstId(seq) + part;
    this.#write(this.#take()?.slot ?? this.#nextSlot++, id, mark, bytes);
  }

  #write(slot: number, id: number, mark: string, bytes: Uint8Array): void {
    this.#sql.exec(PUT, slot, id, sealText(String(id), mark), bytes);
    this.#used.set(id, { slot, bytes: bytes.length });
  }

  replace({ seq, bytes }: Op<"replace-record">): void {
    for (const [id, { slot }] of this.#used) {
      if (id < firstId(seq) || id >= firstId(seq + 1)) continue;
      if (id > firstId(seq)) this.#delete(id, slot);
      else this.#write(slot, id, "", bytes);
    }
  }

  drop({ through }: Op<"drop-records">): void {
    for (const [id, row] of this.#used) {
      if (id >= firstId(through + 1)) continue;
      this.#used.delete(id);
      this.#release(row);
    }
  }

  #delete(id: number, slot: number): void {
    this.#used.delete(id);
    this.#sql.exec("DELETE FROM records WHERE slot = ?", slot);
  }

  #take(): Row | undefined {
    const row = this.#free.pop();
    if (row !== undefined) this.#freeBytes -= row.bytes;
    return row;
  }

  /** Free rows take room: only so many are kept. */
  #release(row: Row): void {
    if (this.#free.length >= LIMITS.freeRecords || this.#freeBytes + row.bytes > LIMITS.freeRecordBytes) {
      this.#sql.exec("DELETE FROM records WHERE slot = ?", row.slot);
      return;
    }
    this.#free.push(row);
    this.#freeBytes += row.bytes;
  }

  /** Deletes what free rows still hold of records that were folded. */
  clearFree(): void {
    for (const { slot } of this.#free.splice(0)) this.#sql.exec("DELETE FROM records WHERE slot = ?", slot);
    this.#freeBytes = 0;
  }

  /** All rows are gone. */
  forget(): void {
    this.#used.clear();
    this.#free.length = 0;
    this.#freeBytes = 0;
  }

  /** Records that are not folded, in order; each is read when it is asked for. @throws CorruptError */
  *records(): Generator<{ seq: number; part: Uint8Array }> {
    for (const id of [...this.#used.keys()].toSorted((one, other) => one - other)) {
      const slot = this.#used.get(id)?.slot as number;
      const [row] = this.#sql.exec("SELECT bytes FROM records WHERE slot = ?", slot).raw();
      yield { seq: Math.floor(id / RECORD_PARTS), part: bytesOf(row?.[0]) };
    }
  }

  /** The mark of the newest record that has one, if it can be read: records are not, and may be damaged. */
  get mark(): string | undefined {
    try {
      const query = "SELECT id, mark FROM records WHERE length(mark) > ? ORDER BY id DESC LIMIT 1";
      const [row] = this.#sql.exec(query, SEAL_LENGTH).raw();
      return row === undefined ? undefined : openText(String(row[0]), String(row[1]));
    } catch {
      return undefined;
    }
  }
}

function firstId(seq: number): number {
  return seq * RECORD_PARTS;
}
