/** A one-way message that was kept and not folded before a restart. */
import { expect, test } from "vitest";
import { deliveredWrite, messageId, postingWrites, storedMessages } from "../../protocol/outbox/message.ts";
import { StateStore } from "../../protocol/state/store.ts";
import { MapStore } from "../../sim/map-store.ts";

test("messages are found again whether they are folded or not, and not when they are delivered", () => {
  const store = new StateStore(new MapStore(), 1_000);
  const posting = { sender: "", service: "la", key: "k", name: "run", input: "" };
  const ids = [messageId(0, 1, 1), messageId(0, 1, 2)];
  for (const [index, id] of ids.entries())
    store.apply(
      postingWrites([posting], () => id),
      index + 1,
    );
  expect([...storedMessages(store)].map(({ requestId }) => requestId)).toEqual(ids);
  store.apply([deliveredWrite(ids[0] as string)], 3);
  expect([...storedMessages(store)].map(({ requestId }) => requestId)).toEqual(ids.slice(1));
});
