/** Small scenarios, each of one thing that the protocol does, to be cut off at every point. */
import type { Kernels } from "../../core-wasm/types.ts";
import { COORDINATOR } from "../../protocol/wire/messages.ts";
import type { Step } from "../clients/steps.ts";
import type { Plan } from "../plan.ts";
import { MINUTE_MS } from "../clients/tick-service.ts";
import { EPOCH_MS } from "../world/object.ts";
import { BEGIN_MS, Stage } from "./stage.ts";

export interface Scenario {
  readonly name: string;
  readonly plan: Plan;
}

const read: Step = { op: "read" };
/** Whatever the list is. */
const refuse: Step = { op: "refuse", every: 1 };

type Make = (kernels: Kernels) => Plan;

const SCENARIOS: Readonly<Record<string, Make>> = {
  local(kernels) {
    const s = new Stage(kernels, 2);
    return s.plan([
      s.client(0, s.run(0, read, s.append()), s.run(0, read, s.append())),
      s.client(1, s.run(0, s.append(), refuse)),
    ]);
  },

  "two partitions"(kernels) {
    const s = new Stage(kernels, 2);
    return s.plan([
      s.client(0, s.run(0, read, s.append(), s.call(1, read, s.append()))),
      // Meets what the first has not decided.
      s.client(6, s.run(1, read, s.append())),
    ]);
  },

  "ring of three"(kernels) {
    const s = new Stage(kernels, 3);
    return s.plan([
      s.client(
        0,
        s.run(0, s.append(), s.call(1, s.append(), s.call(2, read, s.append(), s.call(0, read, s.append())))),
      ),
    ]);
  },

  refusal(kernels) {
    const s = new Stage(kernels, 2);
    return s.plan([
      s.client(0, s.run(0, s.append(), s.call(1, s.append()))),
      // Shows what the first wrote, and writes nothing.
      s.client(5, s.run(1, read, s.call(0, read, refuse))),
    ]);
  },

  "retry with the same id"(kernels) {
    const s = new Stage(kernels, 2);
    const ask = s.run(0, read, s.append(), s.call(1, read, s.append()));
    return s.plan([s.client(0, { ask, again: [1, 7, 11, 40, 90] })]);
  },

  fold(kernels) {
    const s = new Stage(kernels, 2);
    const far = () => s.run(0, read, s.append(), s.call(1, read, s.append()));
    return s.plan([s.client(0, s.run(0, s.append()), far(), s.run(0, s.append()), far(), s.run(1, s.append()))]);
  },

  "coordinator changes"(kernels) {
    const s = new Stage(kernels, 2);
    const ask = s.run(0, read, s.append(), s.call(1, read, s.append()));
    const manner = { keep: "all", zombie: true, bootMs: 1, kind: "coordinator changes" } as const;
    // When the partitions are writing the epoch's records.
    return s.plan([s.client(0, ask)], [{ at: BEGIN_MS + 7, kind: "crash", object: COORDINATOR, manner }]);
  },

  "tried call undone"(kernels) {
    const s = new Stage(kernels, 3);
    return s.plan([s.client(0, s.run(0, s.append(), s.try(1, s.append(), s.call(2, s.append()), refuse), s.append()))]);
  },

  "one-way message"(kernels) {
    const s = new Stage(kernels, 2);
    return s.plan([s.client(0, { ask: s.run(0, s.append(), s.call(1, s.append())), oneWay: true, again: [30] })]);
  },

  "messages from a transaction"(kernels) {
    const s = new Stage(kernels, 2);
    const far = s.call(1, s.append(), s.send(0));
    return s.plan([s.client(0, s.run(0, s.append(), s.send(1), far, s.send(1)))]);
  },

  "two that want each other's keys"(kernels) {
    const s = new Stage(kernels, 2);
    return s.plan([s.client(0, s.transfer(0, 1, 10)), s.client(0, s.transfer(1, 0, 5)), s.client(9, s.audit(0))]);
  },

  "key groups move"(kernels) {
    const s = new Stage(kernels, 2, 3);
    const ask = s.run(0, read, s.append(), s.call(1, read, s.append()), s.send(1));
    return s.plan(
      [s.client(0, s.run(1, s.append()), { ask, again: [3, 30, 60, 90] }), s.client(40, s.run(0, read, s.append()))],
      [{ at: BEGIN_MS + 12, kind: "rescale", partitions: 3 }],
    );
  },

  "partitions go"(kernels) {
    const s = new Stage(kernels, 2, 1);
    const ask = s.run(1, read, s.append(), s.call(0, read, s.append()));
    return s.plan(
      [s.client(0, ask), s.client(14, { ask: s.run(1, read, s.append(), s.send(0)), again: [20, 50] })],
      [{ at: BEGIN_MS + 8, kind: "rescale", partitions: 1 }],
    );
  },

  "messages for later"(kernels) {
    const s = new Stage(kernels, 2);
    return s.plan([
      s.client(0, s.later(0, 1, { delay: 12, count: 2 })),
      // About when they fire.
      s.client(16, s.drop(1, 0, 1)),
    ]);
  },

  "messages for later move"(kernels) {
    const s = new Stage(kernels, 2, 3);
    return s.plan(
      [s.client(0, s.later(0, 1, { delay: 40, count: 2 })), s.client(30, s.drop(1, 0, 1))],
      [{ at: BEGIN_MS + 8, kind: "rescale", partitions: 3 }],
    );
  },

  "a cancel over HTTP"(kernels) {
    const s = new Stage(kernels, 2);
    // The first number of the stage is that of the message. About when it fires.
    return s.plan([
      s.client(0, s.ring(1, 14), { ask: { kind: "cancel", of: 0 }, after: 8, again: [6, 15, 40] }),
      s.client(16, { ask: { kind: "cancel", of: 0 } }),
    ]);
  },

  "a schedule that is changed"(kernels) {
    const s = new Stage(kernels, 2);
    const minuteMs = MINUTE_MS - BEGIN_MS;
    return s.plan([
      // Fires, is another around the next time, and ends around the one behind that.
      s.client(
        minuteMs - 20,
        s.arrange(0, 1, 1, 1),
        { ask: s.arrange(0, 1, 2, 1), after: MINUTE_MS + 10 },
        { ask: s.end(0), after: MINUTE_MS - 10 },
      ),
    ]);
  },

  "a message that fails for good"(kernels) {
    const s = new Stage(kernels, 2);
    return s.plan([s.client(0, s.later(0, 1, { delay: 1, count: 1, failUntil: EPOCH_MS + 2_500 }))]);
  },

  "readers only"(kernels) {
    const s = new Stage(kernels, 3);
    return s.plan([
      s.client(0, s.run(0, s.append(), s.call(1, s.append()))),
      s.client(4, s.run(2, s.all(s.call(0, read), s.call(1, read)))),
      s.client(9, { ask: s.audit(2), snapshot: true }),
    ]);
  },
};

export const SCENARIO_NAMES: readonly string[] = Object.keys(SCENARIOS);

export function scenarioNamed(name: string, kernels: Kernels): Scenario {
  const make = SCENARIOS[name];
  if (!make) throw new Error(`there is no scenario "${name}"; there are ${SCENARIO_NAMES.join(", ")}`);
  return { name, plan: make(kernels) };
}
