/** Deletes what is stored of key groups that are kept elsewhere, some rows in a turn. Nobody sees it, so that it may take its time. */
import { LIMITS } from "../limits.ts";
import { messageOf, OUTBOX } from "../outbox/message.ts";
import { entityOf } from "../state/indexes.ts";
import type { StoredState } from "../state/reader.ts";
import type { StateStore, Write } from "../state/store.ts";
import { keyOfEntity } from "../state/state-key.ts";
import { dueOf } from "../timers/timer.ts";
import type { Ownership } from "./ownership.ts";
import { isIndex, storedPages } from "./stored.ts";

/** The writes of one turn after the other; the caller commits them before it asks for the next. */
export function* garbageWrites(
  stored: StoredState,
  committed: StateStore,
  ownership: Ownership,
  /** Groups that are not kept here, and are on their way here. */
  isComing: (group: number) => boolean,
): Generator<Write[]> {
  const deletes = (key: string, text: string | null): Write | undefined => {
    const entity = entityOf(key);
    const message = entity === OUTBOX && text !== null ? messageOf({ op: "put", key, text }) : undefined;
    if (entity === OUTBOX && !message) return undefined;
    const due = dueOf(key);
    if (due === null ? isIndex(entity) : text === null) return undefined;
    const group = message ? ownership.groupOfMessage(message) : ownership.groupOf(due?.key ?? keyOfEntity(entity));
    if (ownership.keeps(group) || isComing(group)) return undefined;
    return message || due ? { op: "delete", key, text: "" } : { op: "clear", key: entity, text: "" };
  };
  // What is not folded first: nothing more of that kind comes to be.
  yield* unfoldedGarbage(committed, deletes);
  let writes: Write[] = [];
  let seen = 0;
  for (const page of storedPages(stored, LIMITS.movePageRows)) {
    for (const [key, text] of page) {
      if (committed.peek(key, entityOf(key)) === null) continue;
      const write = deletes(key, text);
      if (write && write.key !== writes.at(-1)?.key) writes.push(write);
    }
    seen += page.length;
    if (seen < LIMITS.garbageRowsPerTurn) continue;
    yield writes;
    writes = [];
    seen = 0;
  }
  yield writes;
}

function* unfoldedGarbage(
  committed: StateStore,
  deletes: (key: string, text: string | null) => Write | undefined,
): Generator<Write[]> {
  let writes = new Map<string, Write>();
  for (const { key, cleared } of [...committed.unfolded()]) {
    if (cleared) continue;
    const change = committed.changeOf(key);
    if (change === undefined) continue;
    const write = deletes(key, change);
    if (write) writes.set(write.key, write);
    if (writes.size < LIMITS.garbageRowsPerTurn) continue;
    yield [...writes.values()];
    writes = new Map();
  }
  yield [...writes.values()];
}
