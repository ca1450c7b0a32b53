/** Events that are set aside: those that came too late, and those that a service refused. They are kept for a time and can be read. */
import { sortableWhole } from "../../dataflow/keys.ts";
import type { ShardStore } from "../../dataflow/operators/store.ts";
import { LIMITS } from "../limits.ts";
import type { FlowContext } from "./internal.ts";

/** Entries that one batch drops for age, at most. */
const DROPPED_AT_ONCE = 100;

/** @param batch number of the batch, and which one of it this is. @param text JSON */
export function keepLog(
  ctx: FlowContext,
  collection: string,
  [batch, number]: readonly [number, number],
  text: string,
): void {
  const now = ctx.now();
  if (number === 0) forget(ctx.store, collection, now - LIMITS.asideMs);
  const place = sortableWhole(now) + sortableWhole(batch) + sortableWhole(number);
  ctx.store.put(collection, place, `{"at":${now},"entry":${text}}`);
}

function forget(store: ShardStore, collection: string, before: number): void {
  for (const [key] of store.range(collection, { to: sortableWhole(before), limit: DROPPED_AT_ONCE }))
    store.put(collection, key, null);
}

/** Oldest first, as JSON. What is shown of it is bounded. */
export function readLog(store: ShardStore, collection: string, limit: number): string[] {
  const texts: string[] = [];
  let size = 0;
  for (const [, text] of store.range(collection, { limit })) {
    texts.push(text);
    size += text.length;
    if (size > LIMITS.maxViewChars) break;
  }
  return texts;
}
