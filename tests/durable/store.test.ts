/** What a partition's storage knows of its own size. */
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { Sql } from "../../durable/sql-meter.ts";
import { PartitionStore } from "../../durable/store.ts";
import { LIMITS } from "../../protocol/limits.ts";

const MiB = 1024 * 1024;

/** SQLite as the platform has it, of a size that the test says. */
class SizedSql {
  databaseSize = 0;
  readonly #database = new DatabaseSync(":memory:");

  exec(query: string, ...bindings: Array<string | number>) {
    const rows = this.#database.prepare(query).all(...bindings);
    return { raw: () => rows.map((row) => Object.values(row)), toArray: () => rows };
  }
}

test("a database that was large is not scrubbed, since its free pages would be written: however small it is now, and by whatever instance", () => {
  const sql = new SizedSql();
  const opened = () => {
    const store = new PartitionStore(sql as unknown as Sql);
    store.open();
    return store;
  };
  const store = opened();
  sql.databaseSize = LIMITS.scrubBytes - 2 * MiB;
  // Its size is noted before anything is deleted.
  store.perform({ op: "drop-records", through: 0 });
  expect(store.canScrub).toBe(true);
  sql.databaseSize = LIMITS.scrubBytes + MiB;
  expect(store.canScrub).toBe(false);
  store.perform({ op: "drop-records", through: 0 });
  sql.databaseSize = MiB;
  expect([store.canScrub, opened().canScrub]).toEqual([false, false]);
});
