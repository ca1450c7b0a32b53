/** Mistakes with one-way messages. */
import type { PlantedBug } from "../planted.ts";

const MAIL = "protocol/partition/mail.ts";
const ADMISSION = "protocol/partition/admission.ts";
const OUTBOX = "protocol/outbox/outbox.ts";
const WORK = "protocol/partition/epoch-work.ts";

export const OUTBOXES: readonly PlantedBug[] = [
  {
    name: "message-before-durable",
    what: "A message leaves before the commit that sends it is written.",
    rule: "invariants 3 and 5",
    file: MAIL,
    find: "if (message && !this.#loading.isAhead(message)) this.#add(message);",
    replace: "if (!message) continue;\n      this.#add(message);\n      this.#outbox.release();",
  },
  {
    name: "message-at-tag",
    what: "A message leaves when its transaction gets its epoch, before that is decided.",
    rule: "21, invariant 5",
    file: WORK,
    find: "    if (!drop) this.#parts.layers.add(epoch, writes);\n",
    replace: "    if (!drop) this.#parts.layers.add(epoch, writes);\n    if (!drop) this.#parts.posted(writes);\n",
    also: [{ file: WORK, find: "    this.#parts.posted(writes);\n    for", replace: "    void writes;\n    for" }],
  },
  {
    name: "message-never-forgotten",
    what: "A message that was delivered stays in storage.",
    rule: "invariant 6",
    file: OUTBOX,
    find: "    if (isForgotten) this.#owner.delivered(message);\n    else ",
    replace: "    if (dead) ",
  },
  {
    name: "message-forgotten-early",
    what: "A message is forgotten when it is handed over, not when it is delivered.",
    rule: "invariant 5",
    file: OUTBOX,
    find: "    this.#owner.post(message, ",
    replace: "    this.#owner.delivered(message.requestId);\n    this.#owner.post(message, ",
  },
  {
    name: "message-taken-for-done",
    what: "A message counts as delivered when its transaction begins.",
    rule: "invariant 5",
    file: ADMISSION,
    find: "      this.#queue.push(this.#newRoot(id, target, now, how));\n",
    replace:
      '      this.#queue.push(this.#newRoot(id, target, now, how));\n      this.#parts.posted(from, requestId, { done: true, dead: false, error: "" });\n',
  },
  {
    name: "message-id-reused",
    what: "A restarted partition numbers its messages from the beginning.",
    rule: "invariant 5",
    file: MAIL,
    find: "messageId(this.#owner.self, this.#owner.incarnation, ++this.#ids)",
    replace: "messageId(this.#owner.self, 1, ++this.#ids)",
    also: [{ file: MAIL, find: "    this.#countOn();\n", replace: "" }],
  },
  {
    name: "message-run-again",
    what: "A message that is handed over again runs again.",
    rule: "invariant 4",
    file: ADMISSION,
    find: "const known = this.#parts.results.find(requestId);\n      if (known)",
    replace: "const known = this.#parts.results.find(requestId);\n      if (known && known.status < 0)",
  },
  {
    name: "message-overtakes-stored",
    what: "What is sent while stored messages are read into memory is handed over before those of its channel that are not read yet.",
    rule: "O12",
    file: MAIL,
    find: "if (message && !this.#loading.isAhead(message)) this.#add(message);",
    replace: "if (message) this.#add(message);",
  },
  {
    name: "settled-before-durable",
    what: "The target of a message is told that it will not come again before its sender has durably forgotten it.",
    rule: "O11",
    file: MAIL,
    find: "        this.#forgotten.push(message);\n      },",
    replace: "        this.#forgotten.push(message);\n        this.#tellForgotten();\n      },",
  },
  {
    name: "settled-at-once",
    what: "What has become of a message is forgotten as soon as it is told.",
    rule: "O11",
    file: MAIL,
    find: "this.#toTell.push({ to, requestId, ending });",
    replace: "this.#toTell.push({ to, requestId, ending });\n    if (ending.done) this.#parts.settle([requestId]);",
  },
  {
    name: "message-order-lost",
    what: "Messages of one sender to one target are handed over side by side.",
    rule: "invariant 5",
    file: OUTBOX,
    find: "return alone ? requestId : channelOf(message);",
    replace: 'return alone || channelOf(message) === "" ? requestId : requestId;',
  },
];
