/** Mistakes with effects, sagas and state that does not live long. */
import type { PlantedBug } from "../planted.ts";

const MAIL = "protocol/partition/mail.ts";
const SAGAS = "sdk/builtin/sagas.ts";
const COPY = "protocol/state/entity-copy.ts";

export const OUTSIDES: readonly PlantedBug[] = [
  {
    name: "effect-before-commit",
    what: "An effect runs when it is asked for, and once more when its transaction has committed.",
    rule: "E1",
    file: "protocol/transaction/asking-outside.ts",
    find: "  keepPosting(from, letter);\n",
    replace:
      "  keepPosting(from, letter);\n" +
      "  const { owner } = transactions;\n" +
      '  owner.emit({ kind: "run-outside", call: { id: owner.mail.nextId(), key: "", name, input, attempt: 1, at: 0 } });\n',
  },
  {
    name: "effect-key-changed",
    what: "An effect that has failed is kept under another id.",
    rule: "E2",
    file: MAIL,
    find: "        this.#parts.commit([keptWrite(message)]);\n        this.#outbox.postpone(message, notBefore);\n",
    replace:
      "        void keptWrite;\n        void notBefore;\n        this.#outbox.take(message.requestId);\n" +
      "        const again = messageWrites([message], () => this.nextId());\n" +
      "        this.#parts.commit([deliveredWrite(message), ...again]);\n",
  },
  {
    name: "outcome-twice",
    what: "What became of an effect is told under the id that derives from it, and once more under another.",
    rule: "E3",
    file: MAIL,
    find: "    const told = to === null ? [] : [{ ...outcomeLetter(message.sender, to, end), id }];\n",
    replace:
      "    const one = to === null ? [] : [{ ...outcomeLetter(message.sender, to, end), id }];\n" +
      "    const told = one.flatMap((letter) => [letter, { ...letter, id: this.nextId() }]);\n",
  },
  {
    name: "outcome-behind-effect",
    what: "The effect is forgotten in one turn, and its outcome kept in a later one.",
    rule: "E3",
    file: MAIL,
    find: "    this.#parts.commit([deliveredWrite(message), ...messageWrites(told, () => this.nextId())]);",
    replace:
      "    this.#parts.commit([deliveredWrite(message)]);\n    this.#late.push(...messageWrites(told, () => this.nextId()));",
    also: [
      {
        file: MAIL,
        find: "  release(): void {\n",
        replace: "  release(): void {\n    this.#parts.commit(this.#late.splice(0));\n",
      },
      { file: MAIL, find: "  #ids = 0;\n", replace: "  #ids = 0;\n  readonly #late: Write[] = [];\n" },
      {
        file: MAIL,
        find: "isHanding || this.#outside.hasEnded",
        replace: "isHanding || this.#outside.hasEnded || this.#late.length > 0",
      },
    ],
  },
  {
    name: "saga-undoes-what-failed",
    what: "The step that has failed is made up for, too.",
    rule: "invariant 1",
    file: SAGAS,
    find: "this.#compensate(ctx, step.name, error, state.step - 1);",
    replace: "this.#compensate(ctx, step.name, error, state.step);",
  },
  {
    name: "expiry-removes-renewed",
    what: "What deletes expired state does not look again whether it has been renewed.",
    rule: "X2",
    file: COPY,
    find: "if (this.#isExpired) this.clear();",
    replace: "this.clear();",
  },
  {
    name: "expired-is-seen",
    what: "State that has expired is seen until it is deleted.",
    rule: "X1",
    file: COPY,
    find: "return at !== null && at <= (this.#life as Life).now;",
    replace: "return at !== null && at <= (this.#life as Life).now - 10_000;",
  },
  {
    name: "expiry-not-renewed",
    what: "A write renews only what has no time to live yet.",
    rule: "X2",
    file: COPY,
    find: "if (isWritten || isUsed) writes",
    replace: "if ((isWritten && (isVoid || this.#expiresAt === null)) || isUsed) writes",
  },
];
