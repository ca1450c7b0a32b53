/** The tables of a partition in SQLite. Every row is written by one storage operation; big values are cut into parts below the 2 MB row limit. */

/** Raised when a table changes its meaning; code of another version refuses the store. */
export const SCHEMA_VERSION = 3;

/** Parts of one record: its number times this, plus the part. */
export const RECORD_PARTS = 4096;

export const TABLES = [
  "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, head BLOB NOT NULL, bytes BLOB NOT NULL)",
  "CREATE TABLE IF NOT EXISTS records (slot INTEGER PRIMARY KEY, id INTEGER NOT NULL, mark TEXT NOT NULL, bytes BLOB NOT NULL)",
  "CREATE TABLE IF NOT EXISTS recent (seq INTEGER, part INTEGER, expires INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (seq, part)) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS view_blocks (flow TEXT, block INTEGER, part INTEGER, through TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (flow, block, part)) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS checkpoints (flow TEXT, part INTEGER, meta TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (flow, part)) WITHOUT ROWID",
] as const;
