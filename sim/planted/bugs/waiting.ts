/** Mistakes with promises and sagas. */
import type { PlantedBug } from "../planted.ts";

const PROMISES = "sdk/builtin/promises.ts";
const SAGAS = "sdk/builtin/sagas.ts";

export const WAITING: readonly PlantedBug[] = [
  {
    name: "promise-settled-twice",
    what: "A promise that is settled can be settled otherwise.",
    rule: "invariant 4",
    file: PROMISES,
    find: '    throw new TidegateError("promise-settled", `the promise is ${ctx.state.status} already`);\n',
    replace: "",
  },
  {
    name: "deadline-after-event",
    what: "A deadline that fires as an event commits ends the promise a second time.",
    rule: "invariant 4",
    file: PROMISES,
    find: "    expire(ctx) {\n      if (ctx.state.to === null || ctx.state.outcome !== null) return;",
    replace: "    expire(ctx) {\n      if (ctx.state.to === null) return;",
  },
  {
    name: "promise-made-over",
    what: "A promise takes the place of one of the same id.",
    rule: "invariant 4",
    file: PROMISES,
    find: "if (ctx.state.to !== null) throw new TidegateError(",
    replace: "if (ctx.state.status === null) throw new TidegateError(",
  },
  {
    name: "saga-forgotten-at-restart",
    what: "A restart does not find the messages by which sagas go on: what was done is never made up for.",
    rule: "invariant 5",
    file: "protocol/partition/mail.ts",
    find: "if (this.#isHere(message)) this.#add(message);",
    replace: 'if (this.#isHere(message) && message.name !== "advance") this.#add(message);',
  },
  {
    name: "saga-compensation-given-up",
    what: "A compensation that fails a second time counts as done.",
    rule: "invariant 1",
    file: SAGAS,
    find: "    if (tried.ok) {\n      Object.assign(state, { attempts: 0, trouble: null",
    replace: "    if (tried.ok || state.attempts > 0) {\n      Object.assign(state, { attempts: 0, trouble: null",
  },
  {
    name: "saga-step-twice",
    what: "A step that has failed once runs again when it has succeeded.",
    rule: "invariant 4",
    file: SAGAS,
    find: "    Object.assign(state, { waiting: null, promise: null, attempts: 0 });\n    if (state.cancelled)",
    replace:
      "    const isAgain = state.attempts > 0;\n" +
      "    Object.assign(state, { waiting: null, promise: null, attempts: 0 });\n" +
      "    if (isAgain) return this.#goOn(ctx);\n" +
      "    if (state.cancelled)",
  },
  {
    name: "saga-cancel-ignored",
    what: "A saga that is cancelled while its effect is under way goes on when that has ended.",
    rule: "invariant 1",
    file: SAGAS,
    find: "    if (state.cancelled) return this.#compensate(ctx, name, CANCELLED, state.step);\n",
    replace: "",
  },
];
