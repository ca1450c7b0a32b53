/** Runs in the Worker: counts what SQLite says that statements have read and written, over all objects of the isolate. */
interface Counts {
  written: number;
  statements: number;
}

export const counts: Counts = { written: 0, statements: 0 };

const counted = new WeakSet<object>();

/** Counts all statements of this object's storage from now on, and those of all others. */
export function countRows(state: DurableObjectState): void {
  const prototype = Object.getPrototypeOf(state.storage.sql) as SqlStorage;
  if (counted.has(prototype)) return;
  counted.add(prototype);
  const exec = prototype.exec;
  Object.defineProperty(prototype, "exec", {
    value(this: SqlStorage, query: string, ...bindings: unknown[]) {
      const cursor = exec.call(this, query, ...bindings);
      counts.written += cursor.rowsWritten;
      counts.statements += 1;
      return cursor;
    },
  });
}

/** What `/rows` of a benchmark's Worker answers. */
export function showCounts(): Response {
  return Response.json(counts);
}
