/** A partition's storage: performs storage operations and reads what the machine asks for. All calls are synchronous and belong to the turn's implicit transaction. */
import type { FlowCheckpoint } from "../protocol/flows/flow-runtime.ts";
import type { StorageOp } from "../protocol/partition/effects.ts";
import type { Recovered } from "../protocol/partition/recovery.ts";
import { RESTORE_MARK } from "../protocol/backup/restore.ts";
import { ERASED_TEXT } from "../protocol/results/stored-result.ts";
import type { StateReader } from "../protocol/state/reader.ts";
import { LIMITS } from "../protocol/limits.ts";
import { concat } from "./bytes.ts";
import { RECORD_PARTS, SCHEMA_VERSION, TABLES } from "./schema.ts";
import type { Sql } from "./sql-meter.ts";

/** Table that a scrub makes and drops. */
const SCRUB = "scrub";
/** The noted size may be behind by so much. */
const SIZE_STEP = 1024 * 1024;
/** Fills 200 overflow pages to the last byte: SQLite keeps the first 489 of the row's bytes in the tree, and 4,092 a page. The row has 5 of its own. */
const FILLER_BYTES = 489 + 200 * 4092 - 5;

export class PartitionStore implements StateReader {
  readonly #sql: Sql;
  /** Where the sweep over results goes on. */
  #sweepFrom = "";
  /** Highest size of the database that was noted; undefined before it is read. */
  #largest: number | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
    for (const table of TABLES) sql.exec(table);
    const version = this.meta("schema");
    if (version === undefined) this.#putMeta("schema", String(SCHEMA_VERSION));
    else if (Number(version) > SCHEMA_VERSION) {
      throw new Error(
        `this partition's storage has schema ${version}; this code reads up to ${SCHEMA_VERSION}. Deploy the newer code again.`,
      );
    }
  }

  /** Counts this start, durably: the incarnation. */
  nextIncarnation(): number {
    const incarnation = Number(this.meta("incarnation") ?? 0) + 1;
    this.#putMeta("incarnation", String(incarnation));
    return incarnation;
  }

  meta(name: string): string | undefined {
    return this.#one("SELECT value FROM meta WHERE name = ?", name) as string | undefined;
  }

  #putMeta(name: string, value: string): void {
    this.#sql.exec("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, value);
  }

  #one(query: string, ...bindings: Array<string | number>): SqlStorageValue | undefined {
    for (const row of this.#sql.exec(query, ...bindings).raw()) return row[0];
    return undefined;
  }

  perform(op: StorageOp): void {
    switch (op.op) {
      case "record":
        this.#sql.exec("INSERT INTO records VALUES (?, ?)", op.seq * RECORD_PARTS + op.part, op.bytes);
        return;
      case "replace-record":
        this.#sql.exec(
          "DELETE FROM records WHERE id > ? AND id < ?",
          op.seq * RECORD_PARTS,
          (op.seq + 1) * RECORD_PARTS,
        );
        this.#sql.exec("UPDATE records SET bytes = ? WHERE id = ?", op.bytes, op.seq * RECORD_PARTS);
        return;
      case "drop-records":
        this.#noteSize();
        this.#sql.exec("DELETE FROM records WHERE id < ?", (op.through + 1) * RECORD_PARTS);
        return;
      case "put-state":
        this.#sql.exec(
          "INSERT INTO state VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text",
          op.key,
          op.text,
        );
        return;
      case "delete-state":
        this.#sql.exec("DELETE FROM state WHERE key = ?", op.key);
        return;
      case "delete-state-range":
        this.#sql.exec("DELETE FROM state WHERE key >= ? AND key < ?", op.from, op.to);
        return;
      case "put-meta":
        this.#putMeta(op.name, op.value);
        return;
      default:
        this.#performRare(op);
    }
  }

  #performRare(op: StorageOp): void {
    switch (op.op) {
      case "put-result":
        this.#sql.exec(
          "INSERT INTO results VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
          op.requestId,
          op.expires,
          op.text,
        );
        return;
      case "sweep-results":
        this.#sweep(op.now, op.limit);
        return;
      case "put-recent":
        this.#sql.exec("INSERT OR REPLACE INTO recent VALUES (?, ?, ?, ?)", op.seq, op.part, op.expires, op.bytes);
        return;
      case "erase-results":
        this.#eraseResults(op.owner);
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
          String(op.through),
          op.bytes,
        );
        return;
      case "put-checkpoint":
        if (op.part === 0) this.#sql.exec("DELETE FROM checkpoints WHERE flow = ?", op.flow);
        this.#sql.exec("INSERT INTO checkpoints VALUES (?, ?, ?, ?)", op.flow, op.part, op.meta, op.bytes);
        return;
    }
  }

  /** A result's text ends in the hash of its key; those of the first format have none. */
  #eraseResults(owner: number): void {
    this.#sql.exec(
      "UPDATE results SET text = ? WHERE text LIKE ? OR (text LIKE '[1,%' AND text <> ?)",
      ERASED_TEXT,
      `[2,%,${owner}]`,
      ERASED_TEXT,
    );
  }

  #wipe(): void {
    for (const { name } of this.#tables()) if (name !== "meta") this.#sql.exec(`DELETE FROM "${name}"`);
  }

  get canScrub(): boolean {
    return this.#sql.databaseSize <= LIMITS.scrubBytes;
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
    const most = Number(this.meta("largest") ?? 0) + SIZE_STEP;
    this.#sql.exec(`CREATE TABLE "${SCRUB}" (id INTEGER PRIMARY KEY, bytes BLOB)`);
    while (this.#sql.databaseSize < most) {
      this.#sql.exec(`INSERT INTO "${SCRUB}" (bytes) VALUES (zeroblob(${FILLER_BYTES}))`);
    }
    this.#sql.exec(`DROP TABLE "${SCRUB}"`);
  }

  /** Remembers the size of the database if it has grown much; called before anything is deleted that takes room. */
  #noteSize(): void {
    const size = this.#sql.databaseSize;
    this.#largest ??= Number(this.meta("largest") ?? 0);
    if (size < this.#largest + SIZE_STEP) return;
    this.#largest = size;
    this.#putMeta("largest", String(size));
  }

  /** The tables that are ours. */
  #tables(): Array<{ name: string; sql: string }> {
    const query =
      "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    return this.#sql.exec<{ name: string; sql: string }>(query).toArray();
  }

  /** Looks at the next `limit` results in the order of their ids and deletes the expired ones; begins again at the end. */
  #sweep(now: number, limit: number): void {
    const seen = [
      ...this.#sql
        .exec("SELECT id, expires FROM results WHERE id > ? ORDER BY id LIMIT ?", this.#sweepFrom, limit)
        .raw(),
    ];
    for (const [id, expires] of seen) {
      if ((expires as number) < now) this.#sql.exec("DELETE FROM results WHERE id = ?", id as string);
    }
    this.#sweepFrom = seen.length < limit ? "" : (seen.at(-1)?.[0] as string);
  }

  get(stateKey: string): string | undefined {
    return this.#one("SELECT text FROM state WHERE key = ?", stateKey) as string | undefined;
  }

  range(from: string, to: string, limit: number, reverse: boolean): Array<[string, string]> {
    const order = reverse ? "DESC" : "ASC";
    const query = `SELECT key, text FROM state WHERE key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`;
    return [...this.#sql.exec(query, from, to, limit).raw()] as Array<[string, string]>;
  }

  result(requestId: string): string | undefined {
    return this.#one("SELECT text FROM results WHERE id = ?", requestId) as string | undefined;
  }

  storedResults(requestIds: readonly string[]): Array<[string, string]> {
    const query = "SELECT id, text FROM results WHERE id IN (SELECT value FROM json_each(?))";
    return [...this.#sql.exec(query, JSON.stringify(requestIds)).raw()] as Array<[string, string]>;
  }

  resultsAfter(after: string, limit: number): Array<[string, string, number]> {
    const query = "SELECT id, text, expires FROM results WHERE id > ? ORDER BY id LIMIT ?";
    return [...this.#sql.exec(query, after, limit).raw()] as Array<[string, string, number]>;
  }

  viewBlocks(flow: string): Array<{ block: number; through: bigint }> {
    const query = "SELECT block, through FROM view_blocks WHERE flow = ? AND part = 0 ORDER BY block";
    return [...this.#sql.exec(query, flow).raw()].map(([block, through]) => ({
      block: block as number,
      through: BigInt(through as string),
    }));
  }

  viewBlock(flow: string, block: number): Uint8Array {
    return concat(this.#parts("SELECT bytes FROM view_blocks WHERE flow = ? AND block = ? ORDER BY part", flow, block));
  }

  #parts(query: string, ...bindings: Array<string | number>): Uint8Array[] {
    return [...this.#sql.exec(query, ...bindings).raw()].map(([bytes]) => new Uint8Array(bytes as ArrayBuffer));
  }

  touch(): void {
    this.#one("SELECT value FROM meta WHERE name = 'incarnation'");
  }

  recovered(): Recovered {
    const folded = Number(this.meta("folded") ?? 0);
    return {
      folded,
      forgotten: this.meta("forgotten"),
      restore: this.meta(RESTORE_MARK),
      generation: Number(this.meta("generation") ?? 0),
      decided: Number(this.meta("decided") ?? 0),
      records: this.#records(folded),
      recent: this.#recent(),
      checkpoints: this.#checkpoints(),
    };
  }

  *#records(folded: number): Generator<{ seq: number; bytes: Uint8Array }> {
    let seq = -1;
    let parts: Uint8Array[] = [];
    const rows = this.#sql
      .exec("SELECT id, bytes FROM records WHERE id >= ? ORDER BY id", (folded + 1) * RECORD_PARTS)
      .raw();
    for (const [id, bytes] of rows) {
      const at = Math.floor((id as number) / RECORD_PARTS);
      if (at !== seq && parts.length > 0) yield { seq, bytes: concat(parts) };
      if (at !== seq) parts = [];
      seq = at;
      parts.push(new Uint8Array(bytes as ArrayBuffer));
    }
    if (parts.length > 0) yield { seq, bytes: concat(parts) };
  }

  *#recent(): Generator<{ expires: number; bytes: Uint8Array }> {
    for (const [expires, bytes] of this.#sql.exec("SELECT expires, bytes FROM recent ORDER BY seq, part").raw()) {
      yield { expires: expires as number, bytes: new Uint8Array(bytes as ArrayBuffer) };
    }
  }

  #checkpoints(): Map<string, FlowCheckpoint> {
    const found = new Map<string, { meta: string; parts: Uint8Array[] }>();
    for (const [flow, meta, bytes] of this.#sql
      .exec("SELECT flow, meta, bytes FROM checkpoints ORDER BY flow, part")
      .raw()) {
      const known = found.get(flow as string) ?? { meta: meta as string, parts: [] };
      known.parts.push(new Uint8Array(bytes as ArrayBuffer));
      found.set(flow as string, known);
    }
    return new Map([...found].map(([flow, { meta, parts }]) => [flow, { meta, bytes: concat(parts) }]));
  }
}
