/** Mistakes with the messages of queues. */
import type { PlantedBug } from "../planted.ts";

const STREAM = "protocol/flows/stream.ts";

export const QUEUEING: readonly PlantedBug[] = [
  {
    name: "message-ids-forgotten-at-once",
    what: "Ids of a queue's messages are known until the next ones come.",
    rule: "invariant 4",
    file: STREAM,
    find: "forgetQueued(ctx.store, now - LIMITS.queuedIdMs);",
    replace: "forgetQueued(ctx.store, now);",
  },
  {
    name: "message-ids-forgotten-early",
    what: "Ids of a queue's messages are forgotten before the queue has given them up.",
    rule: "invariant 4",
    file: STREAM,
    find: "forgetQueued(ctx.store, now - LIMITS.queuedIdMs);",
    replace: "forgetQueued(ctx.store, now - LIMITS.queuedIdMs / 4);",
  },
  {
    name: "message-twice-in-a-batch",
    what: "A message that is in one batch twice is taken twice.",
    rule: "invariant 4",
    file: STREAM,
    find: "const fresh = [...new Map(messages)].filter(",
    replace: "const fresh = messages.filter(",
  },
  {
    name: "known-message-hides-others",
    what: "Of a batch with a message that was taken before nothing is taken.",
    rule: "invariant 4",
    file: STREAM,
    find: "    if (fresh.length > 0) {\n      const parsed",
    replace: "    if (fresh.length === messages.length) {\n      const parsed",
  },
  {
    name: "message-ids-left-behind",
    what: "Ids of a queue's messages are not moved with the key group of their stream.",
    rule: "G3",
    file: "protocol/moves/source.ts",
    find: 'return text === null ? { op: "delete", key, text: "" } : { op: "put", key, text };',
    replace:
      'return text === null || key.includes("simulated-queue/") ? { op: "delete", key, text: "" } : { op: "put", key, text };',
    also: [
      {
        file: "protocol/moves/source.ts",
        find: "if (group === undefined || !this.#groups.has(group)) continue;",
        replace: 'if (group === undefined || !this.#groups.has(group) || key.includes("simulated-queue/")) continue;',
      },
    ],
  },
];
