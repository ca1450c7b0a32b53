/** SQLite with its counters of rows added up: what storage costs. */
import type { Usage } from "./usage.ts";

/** What stores use of `SqlStorage`. */
export type Sql = Pick<SqlStorage, "exec" | "databaseSize">;

/**
 * A cursor counts what it reads while it is iterated, so each is settled when the next statement runs, or when the figures are asked for.
 * Cursors must not be iterated side by side, or what the earlier one still reads is not counted.
 */
export class SqlMeter implements Sql {
  readonly #sql: SqlStorage;
  readonly #usage: Usage;
  #unsettled: SqlStorageCursor<Record<string, SqlStorageValue>> | null = null;

  constructor(sql: SqlStorage, usage: Usage) {
    this.#sql = sql;
    this.#usage = usage;
  }

  exec<T extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]): SqlStorageCursor<T> {
    this.settle();
    const cursor = this.#sql.exec<T>(query, ...bindings);
    // What is written is written by now; what is read comes with the rows.
    this.#usage.rows(0, cursor.rowsWritten);
    this.#unsettled = cursor as SqlStorageCursor<never>;
    return cursor;
  }

  get databaseSize(): number {
    return this.#sql.databaseSize;
  }

  settle(): void {
    const cursor = this.#unsettled;
    if (cursor === null) return;
    this.#unsettled = null;
    this.#usage.rows(cursor.rowsRead, 0);
  }
}
