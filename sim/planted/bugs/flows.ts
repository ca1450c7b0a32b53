/** Mistakes with streams and flows. */
import type { PlantedBug } from "../planted.ts";

const DRIVER = "protocol/flows/driver.ts";
const SHARD = "protocol/flows/shard.ts";
const STREAM = "protocol/flows/stream.ts";
const RUNTIME = "protocol/flows/flow-runtime.ts";
const WINDOWS = "dataflow/operators/windows.ts";
const SESSIONS = "dataflow/operators/sessions.ts";
const SOURCE = "protocol/moves/source.ts";

export const STREAMING: readonly PlantedBug[] = [
  {
    name: "shard-memory-outlives-abort",
    what: "An operator goes on with what it has in memory of a batch that was undone: its events are applied twice.",
    rule: "invariant 1",
    file: SHARD,
    find: "if (live.token === token) return live;",
    replace: "if (live.token !== null) return live;",
  },
  {
    name: "undo-without-operator",
    what: "Where a batch is undone in memory, its entries are set back, and what the operator has beside them is not.",
    rule: "invariant 1",
    file: SHARD,
    find: "table: live.table, operator: null };",
    replace: "table: live.table, operator: live.operator };",
  },
  {
    name: "view-ahead-of-decision",
    what: "A view shows of a share what is in memory, though the batch that it comes of is not decided.",
    rule: "invariant 3",
    file: SHARD,
    find: "return table.before(() => look(table));",
    replace: "return look(table);",
  },
  {
    name: "watermark-of-the-quickest",
    what: "Time has come as far as in the quickest source, not as in the slowest.",
    rule: "event time",
    file: "protocol/flows/flow-time.ts",
    find: "  return least === Infinity ? greatest : least;",
    replace: "  return greatest;",
  },
  {
    name: "late-events-dropped",
    what: "Events that come too late are neither counted nor kept.",
    rule: "event time",
    file: DRIVER,
    find: "for (const late of result.late) setAside(run, step, late, parts[late.input]?.index?.[shard]);",
    replace: "void setAside;",
  },
  {
    name: "shares-mixed-up",
    what: "Of the rows that come for all shares of a partition together, each share takes those of the first.",
    rule: "invariant 1",
    file: "protocol/flows/shares.ts",
    find: "        from[input] = end;\n",
    replace: "",
  },
  {
    name: "window-fired-twice",
    what: "A window that still takes late events gives its results with every batch.",
    rule: "event time",
    file: WINDOWS,
    find: "if (emits && window.end > before) {",
    replace: "if (emits) {",
  },
  {
    name: "windows-half-read",
    what: "After a restart the groups of an open window that no event touches are not looked for when it ends.",
    rule: "invariant 1",
    file: WINDOWS,
    find: "open.set(start, this.#window(start, false));",
    replace: "open.set(start, this.#window(start, this.#spec.emits));",
  },
  {
    name: "session-loses-a-side",
    what: "Of two sessions that become one only the events of the first are in the result.",
    rule: "event time",
    file: SESSIONS,
    find: "session.slots = this.#grouping.accumulators.map(({ merge }, at) => merge(session.slots[at], other.slots[at]));",
    replace: "",
  },
  {
    name: "session-given-for-each-timer",
    what: "A key's sessions that end with one batch give their results once for each timer of the key.",
    rule: "event time",
    file: SESSIONS,
    find: "new Set(takeDue(store, input.after).map((due) => due.text))",
    replace: "takeDue(store, input.after).map((due) => due.text)",
  },
  {
    name: "joins-left-behind",
    what: "What joins keep is not moved with the key groups of their shares.",
    rule: "G3",
    file: SOURCE,
    find: 'return text === null ? { op: "delete", key, text: "" } : { op: "put", key, text };',
    replace:
      'return text === null || key.includes("joins/") ? { op: "delete", key, text: "" } : { op: "put", key, text };',
    also: [
      {
        file: SOURCE,
        find: "if (group === undefined || !this.#groups.has(group)) continue;",
        replace: 'if (group === undefined || !this.#groups.has(group) || key.includes("joins/")) continue;',
      },
    ],
  },
  {
    name: "closed-windows-left-behind",
    what: "Windows of the kernel that have ended stay where their stream was.",
    rule: "G3",
    file: SOURCE,
    find: "if (block < Math.max(firstBlock, this.#blocks.get(flow) ?? 0)) continue;",
    replace: "if (block >= 0) continue;",
  },
  {
    name: "offset-without-state",
    what: "Some records of the window kernel's flow have its offset and not what the batch has changed.",
    rule: "invariant 1",
    file: RUNTIME,
    find: "return { delta: { flow: this.plan.name, meta: this.#meta(), delta }, ops };",
    replace:
      "return { delta: { flow: this.plan.name, meta: this.#meta(), delta: seq % 2 === 0 ? NOTHING : delta }, ops };",
  },
  {
    name: "checkpoint-forgets-time",
    what: "A batch of which no window takes anything is no reason for a checkpoint: a fold forgets that time has moved.",
    rule: "invariant 1",
    file: RUNTIME,
    find: "    this.#unfolded = true;\n    const fits",
    replace: "    this.#unfolded ||= changes.length > 0;\n    const fits",
  },
  {
    name: "producer-forgotten",
    what: "The number of a producer's last batch is looked at as if it were the one before.",
    rule: "invariant 4",
    file: "protocol/partition/producers.ts",
    find: "if (sequence <= last) {",
    replace: "if (sequence < last) {",
  },
  {
    name: "event-before-commit",
    what: "Readers of a stream are told of events that a batch gives it, before that is committed.",
    rule: "invariant 3",
    file: STREAM,
    find: "    const { next } = (ctx.state as StreamState | undefined) ?? { next: 0 };\n    const first",
    replace:
      "    const kept = (ctx.state as StreamState | undefined)?.next ?? 0;\n    const next = Math.max(kept, this.#readers.get(`ahead ${ctx.key}`) ?? 0);\n    const first",
    also: [
      {
        file: STREAM,
        find: "    const late: Record<string, number> = {};\n",
        replace:
          "    const late: Record<string, number> = {};\n    if (retention !== undefined) this.#readers.set(`ahead ${ctx.key}`, (ctx.state as StreamState | undefined)?.next ?? 0);\n",
      },
    ],
  },
  {
    name: "tick-forgotten",
    what: "A flow does not go on by itself where time comes further without events.",
    rule: "event time",
    file: DRIVER,
    find: "    if (tick !== null) ctx.later(TICK, (state.tick = tick));\n",
    replace: "    if (tick !== null) state.tick = tick;\n",
  },
  {
    name: "view-behind-its-record",
    what: "A view is read when windows that end with the same record are neither open nor stored.",
    rule: "invariant 1",
    file: "protocol/partition/machine.ts",
    find: "    const views = answerViews(this.#setup, this.#parts, this.#views.splice(0), this);\n    this.#makeDurable();\n",
    replace:
      "    this.#makeDurable();\n    const views = answerViews(this.#setup, this.#parts, this.#views.splice(0), this);\n",
  },
];
