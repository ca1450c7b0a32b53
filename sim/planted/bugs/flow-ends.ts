/** Mistakes with the ends of flows, and with streams that they write to. */
import type { PlantedBug } from "../planted.ts";

const CALLS = "protocol/flows/calls.ts";
const EGRESS = "protocol/flows/egress.ts";

export const ENDING: readonly PlantedBug[] = [
  {
    name: "sink-calls-once-a-key",
    what: "Of the events of one batch a service is called for the first of each key only.",
    rule: "invariant 1",
    file: CALLS,
    find: "    const refusal = await callOnce(ctx, sink, key, argumentOf(row));",
    replace:
      "    if (keys.indexOf(key) < row) continue;\n    const refusal = await callOnce(ctx, sink, key, argumentOf(row));",
  },
  {
    name: "sink-sends-once-a-key",
    what: "Of the events of one batch a message is sent for the first of each key only.",
    rule: "invariant 5",
    file: CALLS,
    find: "ctx.send(sink.contract, key)[sink.function]",
    replace: "if (keys.indexOf(key) === row) ctx.send(sink.contract, key)[sink.function]",
  },
  {
    name: "refused-event-forgotten",
    what: "Of the events of one batch that a service refuses the first alone is set aside.",
    rule: "invariant 5",
    file: CALLS,
    find: "if (refusal !== null) refused.push",
    replace: "if (refusal !== null && refused.length === 0) refused.push",
  },
  {
    name: "refused-batch-taken",
    what: "A batch is taken although a service has refused an event of it that is to abort it.",
    rule: "invariant 1",
    file: CALLS,
    find: '  if (sink.onRefusal === "abort-batch") {\n    await ctx.call(',
    replace: '  if (sink.onRefusal === "abort-batch") {\n    await ctx.try(',
  },
  {
    name: "end-out-of-order",
    what: "Deliveries of an end are begun without waiting for the one before.",
    rule: "invariant 5",
    file: EGRESS,
    find: "while (state.under.length < sink.atATime && state.asked < state.next) {",
    replace: "while (state.asked < state.next) {",
  },
  {
    name: "end-forgets-failures",
    what: "What could not be delivered is dropped.",
    rule: "invariant 5",
    file: EGRESS,
    find: '        await ctx.ask(flowService(program.name), program.home, "setAside", { head, rows: [] });\n',
    replace: "        void [flowService, program, head];\n",
  },
  {
    name: "end-forgets-early",
    what: "What an end keeps is forgotten when its delivery begins, not when it has ended.",
    rule: "invariant 5",
    file: EGRESS,
    find: "const first = state.under.reduce((least, [number]) => Math.min(least, number), state.asked);",
    replace: "const first = state.asked;",
  },
  {
    name: "full-end-keeps-too",
    what: "What finds no room at an end is set aside and delivered as well.",
    rule: "invariant 4",
    file: EGRESS,
    find: '      return { head: { refused: Array.from(rows?.time ?? [], (_, row) => [row, "full"]) }, rows: [] };',
    replace:
      '      keep(ctx.store, state, lines, ctx.now());\n      ctx.state = state;\n      return { head: { refused: Array.from(rows?.time ?? [], (_, row) => [row, "full"]) }, rows: [] };',
  },
  {
    name: "letter-of-flow-stays",
    what: "A dead letter of a flow that is sent again stays in the list.",
    rule: "invariant 4",
    file: "protocol/flows/lines.ts",
    find: '  store.put(collection, key, isEmpty(lines) && !isLast ? null : lines.join("\\n"));\n',
    replace: "  void [isEmpty, isLast];\n",
  },
  {
    name: "stream-numbers-reused",
    what: "An event of a stream takes the place of the one before it, where its batch came at an odd millisecond.",
    rule: "invariant 4",
    file: "protocol/flows/stream.ts",
    find: "keepEvents(ctx.store, { begin: state.next, at: now,",
    replace: "keepEvents(ctx.store, { begin: Math.max(0, state.next - (now % 2)), at: now,",
  },
];
