/** A partition's storage: performs storage operations and reads what the machine asks for. All calls are synchronous and belong to the turn's implicit transaction. */
import type { FlowCheckpoint } from "../protocol/flows/flow-runtime.ts";
import type { StorageOp } from "../protocol/partition/effects.ts";
import type { Recovered } from "../protocol/partition/recovery.ts";
import { RESTORE_MARK } from "../protocol/backup/restore.ts";
import type { StateReader } from "../protocol/state/reader.ts";
import { LIMITS } from "../protocol/limits.ts";
import { CorruptError } from "../core-wasm/types.ts";
import { bytesOf, concat } from "./bytes.ts";
import { asDamage, openText, sealText } from "./damage.ts";
import { RecordRows } from "./record-rows.ts";
import { SCHEMA_VERSION, TABLES } from "./schema.ts";
import type { Sql } from "./sql-meter.ts";

/** Table that a scrub makes and drops. */
const SCRUB = "scrub";
/** The noted size may be behind by so much. */
const SIZE_STEP = 1024 * 1024;
/** Fills 200 overflow pages to the last byte: SQLite keeps the first 489 of the row's bytes in the tree, and 4,092 a page. The row has 5 of its own. */
const FILLER_BYTES = 489 + 200 * 4092 - 5;

const PUT_BLOCK =
  "INSERT INTO blocks VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET head = excluded.head, bytes = excluded.bytes";

export class PartitionStore implements StateReader {
  readonly #sql: Sql;
  readonly #records: RecordRows;
  /** Highest size of the database that was noted; undefined before it is read. */
  #largest: number | undefined;
  /** Records that were written since this start, and their bytes. */
  readonly written = { count: 0, bytes: 0 };

  constructor(sql: Sql) {
    this.#sql = sql;
    this.#records = new RecordRows(sql);
  }

  /** Comes before all else. @throws Error for what code of another version has stored */
  open(): void {
    for (const table of TABLES) this.#sql.exec(table);
    const version = this.meta("schema");
    if (version === undefined) this.#putMeta("schema", String(SCHEMA_VERSION));
    else if (Number(version) !== SCHEMA_VERSION) {
      throw new Error(
        `this partition's storage has schema ${version}; this code reads ${SCHEMA_VERSION}. Deploy the code that wrote it again.`,
      );
    }
  }

  /** Counts this start, durably: the incarnation. */
  nextIncarnation(): number {
    const incarnation = Number(this.meta("incarnation") ?? 0) + 1;
    this.#putMeta("incarnation", String(incarnation));
    return incarnation;
  }

  /** @throws CorruptError */
  meta(name: string): string | undefined {
    const sealed = this.#one("SELECT value FROM meta WHERE name = ?", name);
    return sealed === undefined ? undefined : openText(name, String(sealed));
  }

  #putMeta(name: string, value: string): void {
    const query = "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
    this.#sql.exec(query, name, sealText(name, value));
  }

  #one(query: string, ...bindings: Array<string | number>): SqlStorageValue | undefined {
    for (const row of this.#sql.exec(query, ...bindings).raw()) return row[0];
    return undefined;
  }

  perform(op: StorageOp): void {
    switch (op.op) {
      case "record":
        if (op.part === 0) this.written.count += 1;
        this.written.bytes += op.bytes.length;
        this.#records.put(op);
        return;
      case "replace-record":
        this.#records.replace(op);
        return;
      case "drop-records":
        this.#noteSize();
        this.#records.drop(op);
        return;
      case "put-block":
        this.#sql.exec(PUT_BLOCK, op.id, op.head, op.bytes);
        return;
      case "drop-block":
        this.#sql.exec("DELETE FROM blocks WHERE id = ?", op.id);
        return;
      case "put-meta":
        this.#putMeta(op.name, op.value);
        return;
      default:
        this.#performRare(op);
    }
  }

  /** What the newest record of an epoch says of that, readable also when records are not. */
  get mark(): string | undefined {
    return this.#records.mark;
  }

  #performRare(op: StorageOp): void {
    switch (op.op) {
      case "put-recent":
        this.#sql.exec("INSERT OR REPLACE INTO recent VALUES (?, ?, ?, ?)", op.seq, op.part, op.expires, op.bytes);
        return;
      case "wipe":
        this.#wipe();
        return;
      case "drop-recent":
        this.#sql.exec("DELETE FROM recent WHERE expires < ?", op.expiredAt);
        return;
      case "put-view-block":
        this.#sql.exec(
          "INSERT INTO view_blocks VALUES (?, ?, ?, ?, ?)",
          op.flow,
          op.block,
          op.part,
          sealText(op.flow, String(op.through)),
          op.bytes,
        );
        return;
      case "drop-flow":
        this.#sql.exec("DELETE FROM view_blocks WHERE flow = ?", op.flow);
        this.#sql.exec("DELETE FROM checkpoints WHERE flow = ?", op.flow);
        return;
      case "put-checkpoint":
        if (op.part === 0) this.#sql.exec("DELETE FROM checkpoints WHERE flow = ?", op.flow);
        this.#sql.exec(
          "INSERT INTO checkpoints VALUES (?, ?, ?, ?)",
          op.flow,
          op.part,
          sealText(op.flow, op.meta),
          op.bytes,
        );
        return;
    }
  }

  #wipe(): void {
    this.#records.forget();
    for (const { name } of this.#tables()) if (name !== "meta") this.#sql.exec(`DELETE FROM "${name}"`);
    this.#sql.exec("DELETE FROM meta WHERE name = 'blocks'");
  }

  get databaseBytes(): number {
    return this.#sql.databaseSize;
  }

  /** Deletes what is kept of records that were folded. */
  clearFree(): void {
    this.#records.clearFree();
  }

  /** Free pages are written as well: what the database was once counts, however small it is now. */
  get canScrub(): boolean {
    return Math.max(this.#sql.databaseSize, this.#largestSize) <= LIMITS.scrubBytes;
  }

  /**
   * What deleted rows leave behind lies in free pages, and in the gaps of pages in use. The platform has neither VACUUM nor `secure_delete`, so
   * free pages are filled and freed again, every table is written anew into them, and the pages that it had are filled in turn. Each step is to
   * be a transaction of its own.
   */
  *scrub(): Generator<() => void> {
    yield () => this.#fillFreePages();
    // SQLite empties a page that it takes anew only if it was free before the transaction.
    for (const table of this.#tables()) yield () => this.#rewrite(table);
    yield () => this.#fillFreePages();
  }

  #rewrite({ name, sql }: { name: string; sql: string }): void {
    this.#sql.exec(sql.replace(/^CREATE TABLE "?\w+"?/, `CREATE TABLE "${SCRUB}"`));
    this.#sql.exec(`INSERT INTO "${SCRUB}" SELECT * FROM "${name}"`);
    this.#noteSize();
    this.#sql.exec(`DROP TABLE "${name}"`);
    this.#sql.exec(`ALTER TABLE "${SCRUB}" RENAME TO "${name}"`);
  }

  /** Pages that are free count into the highest size that the database ever had: as much as that is written, beside what is in use. */
  #fillFreePages(): void {
    this.#noteSize();
    const most = this.#largestSize + SIZE_STEP;
    this.#sql.exec(`CREATE TABLE "${SCRUB}" (id INTEGER PRIMARY KEY, bytes BLOB)`);
    while (this.#sql.databaseSize < most) {
      this.#sql.exec(`INSERT INTO "${SCRUB}" (bytes) VALUES (zeroblob(${FILLER_BYTES}))`);
    }
    this.#sql.exec(`DROP TABLE "${SCRUB}"`);
  }

  /** Remembers the size of the database if it has grown much; called before anything is deleted that takes room. */
  #noteSize(): void {
    const size = this.#sql.databaseSize;
    if (size < this.#largestSize + SIZE_STEP) return;
    this.#largest = size;
    this.#putMeta("largest", String(size));
  }

  get #largestSize(): number {
    return (this.#largest ??= Number(this.meta("largest") ?? 0));
  }

  /** The tables that are ours. */
  #tables(): Array<{ name: string; sql: string }> {
    const query =
      "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    return this.#sql.exec<{ name: string; sql: string }>(query).toArray();
  }

  block(id: number): Uint8Array | undefined {
    return orDamage(() => {
      const bytes = this.#one("SELECT bytes FROM blocks WHERE id = ?", id);
      return bytes === undefined ? undefined : bytesOf(bytes);
    });
  }

  viewBlocks(flow: string): Array<{ block: number; through: bigint }> {
    const query = "SELECT block, through FROM view_blocks WHERE flow = ? AND part = 0 ORDER BY block";
    return orDamage(() =>
      [...this.#sql.exec(query, flow).raw()].map(([block, through]) => ({
        block: block as number,
        through: BigInt(openText(flow, String(through))),
      })),
    );
  }

  viewBlock(flow: string, block: number): Uint8Array {
    const query = "SELECT bytes FROM view_blocks WHERE flow = ? AND block = ? ORDER BY part";
    return orDamage(() => concat(this.#parts(query, flow, block)));
  }

  #parts(query: string, ...bindings: Array<string | number>): Uint8Array[] {
    return [...this.#sql.exec(query, ...bindings).raw()].map(([bytes]) => bytesOf(bytes));
  }

  touch(): void {
    this.#one("SELECT value FROM meta WHERE name = 'incarnation'");
  }

  /** @throws CorruptError, also while what it returns is read */
  recovered(): Recovered {
    this.#checkPages();
    const folded = Number(this.meta("folded") ?? 0);
    this.#records.open(folded);
    return {
      folded,
      forgotten: this.meta("forgotten"),
      restore: this.meta(RESTORE_MARK),
      generation: Number(this.meta("generation") ?? 0),
      decided: Number(this.meta("decided") ?? 0),
      garbage: this.meta("garbage") === "1",
      taken: this.meta("taken"),
      records: this.#whole(),
      recent: this.#recent(),
      checkpoints: this.#checkpoints(),
      blocks: { heads: this.#heads(), manifest: this.meta("blocks") },
    };
  }

  *#whole(): Generator<{ seq: number; bytes: Uint8Array }> {
    let seq = -1;
    let parts: Uint8Array[] = [];
    for (const { seq: at, part } of this.#records.records()) {
      if (at !== seq && parts.length > 0) yield { seq, bytes: concat(parts) };
      if (at !== seq) parts = [];
      seq = at;
      parts.push(part);
    }
    if (parts.length > 0) yield { seq, bytes: concat(parts) };
  }

  /** A row that has vanished from a page would be a record that was never written: nothing else would tell. */
  #checkPages(): void {
    for (const table of ["records", "recent", "meta"]) {
      const verdict = this.#one(`PRAGMA quick_check(${table})`);
      if (verdict !== "ok") throw new CorruptError("length", `table ${table}: ${String(verdict)}`);
    }
  }

  *#heads(): Generator<{ id: number; head: Uint8Array }> {
    for (const [id, head] of this.#sql.exec("SELECT id, head FROM blocks").raw()) {
      yield { id: id as number, head: bytesOf(head) };
    }
  }

  *#recent(): Generator<{ expires: number; bytes: Uint8Array }> {
    for (const [expires, bytes] of this.#sql.exec("SELECT expires, bytes FROM recent ORDER BY seq, part").raw()) {
      yield { expires: expires as number, bytes: bytesOf(bytes) };
    }
  }

  #checkpoints(): Map<string, FlowCheckpoint> {
    const found = new Map<string, { meta: string; parts: Uint8Array[] }>();
    for (const [flow, meta, bytes] of this.#sql
      .exec("SELECT flow, meta, bytes FROM checkpoints ORDER BY flow, part")
      .raw()) {
      const known = found.get(flow as string) ?? { meta: openText(flow as string, String(meta)), parts: [] };
      known.parts.push(bytesOf(bytes));
      found.set(flow as string, known);
    }
    return new Map([...found].map(([flow, { meta, parts }]) => [flow, { meta, bytes: concat(parts) }]));
  }
}

/** @throws CorruptError for what SQLite itself finds damaged */
function orDamage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asDamage(error);
  }
}
