/** Mistakes with delayed messages. */
import type { PlantedBug } from "../planted.ts";

const SERVICE = "protocol/timers/service.ts";
const TIMERS = "protocol/timers/timers.ts";
const MOVES = "protocol/moves/moves.ts";

export const DELAYED: readonly PlantedBug[] = [
  {
    name: "timer-early",
    what: "A delayed message fires up to 0.8 s before its time.",
    rule: "D3",
    file: SERVICE,
    find: "afterDue(attempt.at)",
    replace: "afterDue(attempt.at + 800)",
    also: [
      { file: TIMERS, find: "if (this.nextAt > now || now < this.#restUntil) return;", replace: "" },
      { file: TIMERS, find: "if (at > now || this", replace: "if (at > now + 800 || this" },
    ],
  },
  {
    name: "timer-twice",
    what: "What fires is sent under its own id, and once more under another.",
    rule: "D4",
    file: SERVICE,
    find: "if (fired) (attempt.postings ??= []).push({ ...fired, id: id as string, scope });",
    replace: "if (fired) (attempt.postings ??= []).push({ ...fired, id: id as string, scope }, { ...fired, scope });",
  },
  {
    name: "cancel-ignored",
    what: "A cancel is told that it was in time, and the message fires all the same.",
    rule: "D5",
    file: SERVICE,
    find: "  copy.putEntry(WAITING, id, null);\n  return true;",
    replace: "  return true;",
  },
  {
    name: "timers-not-locked",
    what: "Firing and cancelling take a shared lock.",
    rule: "D3, D5",
    file: "protocol/execution/internal.ts",
    find: '{ kind: "fn", input: anything',
    replace: '{ kind: "query", input: anything',
  },
  {
    name: "timers-left-behind",
    what: "Delayed messages that come with their keys are not put into the index.",
    rule: "D6",
    file: MOVES,
    find: "indexed(withLifetimes(writes))",
    replace: "indexed([]).concat(withLifetimes(writes))",
  },
  {
    name: "timers-forgotten",
    what: "A restart does not look for the delayed messages that are stored.",
    rule: "D2",
    file: TIMERS,
    find: '    this.#through = "";\n',
    replace: "    this.#through = null;\n",
    also: [{ file: TIMERS, find: '#through: string | null = "";', replace: "#through: string | null = null;" }],
  },
  {
    name: "dead-letter-lost",
    what: "A message that failed for good is forgotten, and not put among the dead letters.",
    rule: "O9",
    file: "protocol/partition/mail.ts",
    find: "[deliveredWrite(message), ...messageWrites(letters, () => this.nextId())]",
    replace: "[deliveredWrite(message), ...messageWrites(letters, () => this.nextId()).slice(1)]",
  },
  {
    name: "dead-letter-stays",
    what: "A dead letter that is sent again stays in the list.",
    rule: "O10",
    file: "protocol/outbox/dead-letters.ts",
    find: "  copy.putEntry(LETTERS, place, null);\n",
    replace: "",
  },
];
