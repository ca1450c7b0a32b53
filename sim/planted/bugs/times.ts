/** Mistakes with schedules, with state that lives while it is used, with cancels over HTTP, and with messages that end whoever runs them. */
import type { PlantedBug } from "../planted.ts";

const SCHEDULES = "protocol/timers/schedules.ts";
const FOLDER = "protocol/partition/folder.ts";
const COPY = "protocol/state/entity-copy.ts";
const OUTBOX = "protocol/outbox/outbox.ts";
const SUSPECTS = "protocol/outbox/suspects.ts";

export const TIMES: readonly PlantedBug[] = [
  {
    name: "missed-times-come-each",
    what: "A schedule goes on with the time behind the one that has fired, not with the first that is yet to come.",
    rule: "schedules",
    file: SCHEDULES,
    find: "  waitForNext(context, name, known.cron, letter);\n  return timerOf(letter);",
    replace:
      "  const at = nextTime(storedCron(known.cron), Number.parseInt(id.slice(1, 12), 16)) as number;\n" +
      "  const next = transactions.owner.mail.nextDelayedId(at);\n" +
      "  copy.putEntry(WAITING, next, scheduledText(name, letter));\n" +
      "  copy.putEntry(SCHEDULES, name, JSON.stringify([known.cron, next]));\n" +
      "  return timerOf(letter);",
  },
  {
    name: "changed-schedule-goes-on",
    what: "The message that waits for a schedule stays when that is changed or ended, and fires.",
    rule: "schedules",
    file: SCHEDULES,
    find: "  copy.putEntry(WAITING, id, null);\n  copy.putEntry(SCHEDULES, name, null);\n}",
    replace: "  void id;\n  copy.putEntry(SCHEDULES, name, null);\n}",
    also: [
      { file: SCHEDULES, find: "if (known?.id !== id) return null;", replace: "if (known === null) return null;" },
    ],
  },
  {
    name: "declared-outlives-code",
    what: "A schedule that the code declares no more goes on.",
    rule: "schedules",
    file: SCHEDULES,
    find: "const isGone = isDeclaredName(name) && ",
    replace: 'const isGone = name === "" && ',
    also: [
      {
        file: SCHEDULES,
        find: "if (isDeclaredName(String(name)) && !wanted.has(String(name))) unschedule(context, String(name));",
        replace: "void [name, wanted];",
      },
    ],
  },
  {
    name: "declared-not-changed",
    what: "A schedule that another version of the code declares otherwise stays what it was.",
    rule: "schedules",
    file: SCHEDULES,
    find: "if (known !== null && isSo(copy, known, cron, scheduledText(name, text))) continue;",
    replace: "if (known !== null) continue;",
  },
  {
    name: "declared-made-anew",
    what: "Each instance makes the declared schedules anew: a time that is due by then is left out.",
    rule: "schedules",
    file: SCHEDULES,
    find: "if (known !== null && isSo(copy, known, cron, scheduledText(name, text))) continue;",
    replace: "",
    also: [{ file: SCHEDULES, find: "return at <= now && nextTime(", replace: "return at < 0 && nextTime(" }],
  },
  {
    name: "newer-state-taken",
    what: "Code of an older version takes state that a newer one has written for its own.",
    rule: "versions of state",
    file: "protocol/state/evolution.ts",
    find: "  if (stored <= version) return;\n",
    replace: "  if (stored > 0) return;\n",
  },
  {
    name: "form-not-changed",
    what: "State of an older form is shown as it is.",
    rule: "versions of state",
    file: "protocol/state/evolution.ts",
    find: "    if (step !== undefined) value = step(value as never);\n",
    replace: "    void step;\n",
  },
  {
    name: "use-not-renewed",
    what: "Of state that lives while it is used, only a write renews the time to live.",
    rule: "X2",
    file: COPY,
    find: "if (isWritten || isUsed) writes",
    replace: "void isUsed;\n    if (isWritten) writes",
  },
  {
    name: "query-does-not-renew",
    what: "A query keeps nothing that lives while it is used.",
    rule: "X2",
    file: "protocol/transaction/life.ts",
    find: 'renews: locking && modeOf(target) === "exclusive"',
    replace: 'renews: locking && target.contract.kind !== "query"',
  },
  {
    name: "look-revives-expired",
    what: "Who looks at what has expired and is not deleted yet renews its time to live.",
    rule: "X1",
    file: COPY,
    find: "!this.#isExpired && this.#expiresAt !== null",
    replace: "this.#expiresAt !== null",
  },
  {
    name: "http-cancel-not-recorded",
    what: "What a cancel over HTTP was answered is not kept for its repetitions.",
    rule: "D5, invariant 4",
    file: "protocol/partition/root.ts",
    find: 'return clientId || (target.contract.kind === "fn" && !requestId.startsWith(OWN_ID));',
    replace:
      'return target.service.contract.name !== "#timers" && (clientId || (target.contract.kind === "fn" && !requestId.startsWith(OWN_ID)));',
  },
  {
    name: "results-expire-early",
    what: "Results are dropped when half of their time is over.",
    rule: "invariant 4",
    file: FOLDER,
    find: "Math.max(latest, at), 0) + ms;",
    replace: "Math.max(latest, at), 0) + ms / 2;",
  },
  {
    name: "expired-results-stay",
    what: "Results that have expired are stored for ever.",
    rule: "invariant 9",
    file: "protocol/state/blocks/merger.ts",
    find: "runs.find(({ expires }) => expires < now);",
    replace: "runs.find(({ expires }) => expires < now && now < 0);",
  },
  {
    name: "messages-expire-with-clients",
    what: "What has become of a message is kept for as long as what clients were answered.",
    rule: "O11, invariant 4",
    file: FOLDER,
    find: "yield* this.#foldKept(this.#blocks.newRun(), messages, LIMITS.messageResultMs);",
    replace: "yield* this.#foldKept(this.#blocks.newRun(), messages, this.#results.clientMs);",
  },
  {
    name: "deadly-never-suspected",
    what: "A message that ends whoever runs it is tried like any other.",
    rule: "O13",
    file: SUSPECTS,
    find: "return made !== null && incarnation - made >= LIMITS.suspectRestarts;",
    replace: "return made !== null && incarnation < made;",
    also: [
      {
        file: OUTBOX,
        find: "else if (channel.lost >= LIMITS.suspectRestarts)",
        replace: "else if (channel.lost < 0)",
      },
    ],
  },
  {
    name: "given-up-and-run",
    what: "A message that is given up is run once more, and so for ever.",
    rule: "O13",
    file: "protocol/partition/admission.ts",
    find: "if (giveUp) return this.#giveUp(from, id);",
    replace: "void giveUp;",
  },
  {
    name: "run-with-its-record",
    what: "A message for a key of the same partition is run in the turn that writes its row.",
    rule: "O1, O13",
    file: "protocol/partition/mail.ts",
    find: "return void this.#here.set(message.requestId, how);",
    replace: "return this.#parts.run({ ...message, last, giveUp });",
  },
];
