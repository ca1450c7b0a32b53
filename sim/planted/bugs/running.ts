/** Mistakes while transactions run: locks, calls, tried calls. */
import type { PlantedBug } from "../planted.ts";

const TRANSACTIONS = "protocol/transaction/transactions.ts";
const REMOTE = "protocol/transaction/remote-calls.ts";
const LOCKS = "protocol/locks/lock-table.ts";
const ENGINE = "protocol/execution/engine.ts";

export const RUNNING: readonly PlantedBug[] = [
  {
    name: "skip-shared-lock",
    what: "Queries of fresh transactions take no lock.",
    rule: "2",
    file: TRANSACTIONS,
    find: "if (!attempt.locking || this.#locks.acquire(",
    replace: 'if (!attempt.locking || mode === "shared" || this.#locks.acquire(',
  },
  {
    name: "skip-upgrade",
    what: "Who holds a key's shared lock is taken to hold the exclusive one.",
    rule: "2",
    file: LOCKS,
    find: 'if (lock.holders.includes(owner) && (lock.mode === "exclusive" || lock.mode === mode)) return true;',
    replace: "if (lock.holders.includes(owner)) return true;",
  },
  {
    name: "early-release",
    what: "Locks are free as soon as a partition has answered its calls, not at the finish.",
    rule: "2",
    file: TRANSACTIONS,
    find: "      this.remote.answer(activation, outcome);\n",
    replace:
      "      this.remote.answer(activation, outcome);\n      if (!attempt.root && attempt.live.size === 0) this.#locks.release(attempt);\n",
  },
  {
    name: "never-wound",
    what: "A transaction that waits for younger ones does not make them give way.",
    rule: "6",
    file: LOCKS,
    find: "for (const blocker of blockers) if (blocker.age > owner.age) wound(blocker);",
    replace: "void wound;",
  },
  {
    name: "kill-ignored",
    what: "The root does not give up an attempt when another partition asks for it.",
    rule: "7",
    file: REMOTE,
    find: "if (attempt?.root && !attempt.ended) this.#transactions.giveUp(attempt);",
    replace: "void attempt;",
  },
  {
    name: "answer-before-calls",
    what: "A function answers while calls that it made still run.",
    rule: "4",
    file: TRANSACTIONS,
    find: 'if (activation.children > 0) activation.state = "joining";\n    else this.#finish(activation, outcome);',
    replace: "this.#finish(activation, outcome);",
  },
  {
    name: "return-cuts-off",
    what: "A function ends as soon as it returns: what its code is about to do with a call that has ended is lost.",
    rule: "4",
    file: ENGINE,
    find: "if (outcome.ok && calls > 0 && children === 0)",
    replace: "if (outcome.ok && calls < 0 && children === 0)",
  },
  {
    name: "further-calls-cut-off",
    what: "A function that has returned ends though its code has made a call meanwhile: what comes behind that is lost.",
    rule: "4",
    file: ENGINE,
    find: "activation.calls === calls",
    replace: "activation.calls >= calls",
  },
  {
    name: "last-call-cuts-off",
    what: "A function that has returned ends with its last call: what its code does with that call's result is lost.",
    rule: "4",
    file: ENGINE,
    find: "this.host.enclose(() => this.#returnBehind(STEPS_BEHIND_LAST_CALL, activation, outcome));",
    replace: 'this.input({ kind: "returned", activation, outcome })',
  },
  {
    name: "answer-without-clock",
    what: "The clock that an answer carries is not merged into the receiver's.",
    rule: "5",
    file: REMOTE,
    find: "    this.#owner.see(message.clock);\n",
    replace: "",
  },
  {
    name: "answer-without-subtree",
    what: "An answer names its own partition as participant, but not those that it has called.",
    rule: "5",
    file: REMOTE,
    find: "const parts = participantsOf(attempt);",
    replace: "const parts = new Map<Peer, number>();",
  },
  {
    name: "orphans-not-asked-after",
    what: "Nobody asks the root of a transaction that has been silent for long, and the root's restart is not noticed either.",
    rule: "9, 10",
    file: REMOTE,
    find: '      this.#owner.send(attempt.id.root, { kind: "inquire", id: attempt.id });\n',
    replace: "",
    also: [
      {
        file: REMOTE,
        find: "else if (attempt.id.incarnation < incarnation) this.#transactions.aborted(attempt, attempt.live.size > 0);",
        replace: "else if (attempt.id.incarnation < incarnation) continue;",
      },
    ],
  },
  {
    name: "callers-forget-restarts",
    what: "Who waits for the answer of a partition goes on waiting when that has restarted.",
    rule: "10",
    file: REMOTE,
    find: "    if (attempt.peers?.has(peer)) this.#transactions.giveUp(attempt);\n",
    replace: "",
  },
  {
    name: "clock-set-back-unheeded",
    what: "An instance goes on when its clock was set back by more than limits of time may be longer for.",
    rule: "time",
    file: "protocol/clock.ts",
    find: "if (back > LIMITS.maxClockBackMs)",
    replace: "if (back > Number.MAX_SAFE_INTEGER)",
  },
];
