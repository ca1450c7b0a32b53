/** Clears of many keys: each looks at what is under its own key, however much else is cached or unfolded. */
import { expect, test } from "vitest";
import { collectionPrefix, encodeEntryKey, entityKey } from "../../protocol/state/state-key.ts";
import { StateStore } from "../../protocol/state/store.ts";
import { PlainState } from "./support/plain-state.ts";

const CARTS = 10_000;
const MiB = 1024 * 1024;

test("ten thousand keys are cleared and folded in time beside a full cache", () => {
  const stored = new PlainState();
  const store = new StateStore(stored, 24 * MiB);
  const line = (entity: string) => collectionPrefix(entity, "lines") + encodeEntryKey("a");
  const others = Array.from({ length: 100_000 }, (_, n) => entityKey("order", `o${n}`));
  for (const entity of others) store.get(entity, entity);
  const carts = Array.from({ length: CARTS }, (_, n) => entityKey("cart", `c${n}`));
  for (const cart of carts) {
    stored.state.set(line(cart), "old");
    expect(store.get(line(cart), cart)).toBe("old");
    store.apply([{ op: "put", key: line(cart), text: "new" }], 1);
  }
  for (const cart of carts) store.apply([{ op: "clear", key: cart, text: "" }], 2);
  const { clears, keys } = store.unfoldedThrough(2);
  expect([clears.length, keys.length, store.unfoldedKeys]).toEqual([CARTS, 0, 0]);
  for (const cart of clears) {
    stored.state.delete(line(cart));
    store.markCleared([cart], 2);
  }
  for (const cart of carts) expect(store.get(line(cart), cart)).toBe(null);
});
