/** Promises: work that waits for an event outside. Each is the state of a key, its id, so that events, deadline and reader find one and the same. */

import { issuesText } from "../issues.ts";
import type { FnContext } from "../context.ts";
import { fn, query } from "../contract.ts";
import { TidegateError } from "../errors.ts";
import { PROMISE_KEPT_MS } from "../limits.ts";
import type { Outcome, OutcomeError } from "../outcome.ts";
import type { Reply } from "../reply.ts";
import { sagaServiceName } from "../saga.ts";
import { isSameValue } from "../same-value.ts";
import { validate } from "../schema.ts";
import type { ServiceDefinition } from "../service.ts";
import { addressOf, anything, builtinContract, builtinService } from "./service.ts";

/** How far a promise is. */
export interface PromiseView {
  readonly id: string;
  readonly status: "pending" | "resolved" | "rejected" | "expired";
  /** ms since 1970; null for none. */
  readonly deadline: number | null;
  /** What it was resolved with, as the function was told. */
  readonly value?: unknown;
  readonly error?: OutcomeError;
}

export interface PromiseRequest {
  readonly to: Reply;
  /** ms since 1970; null for none. */
  readonly deadline: number | null;
}

interface PromiseState {
  to: Reply | null;
  deadline: number | null;
  /** The delayed message of the deadline. */
  timer: string | null;
  outcome: Outcome | null;
  status: PromiseView["status"];
}

/** Of a promise that was withdrawn: no app has a service of such a name. */
const NOBODY: Reply = { service: "", key: "", name: "" };

type Settlement = { readonly ok: true; readonly value?: unknown } | { readonly ok: false; readonly reason?: unknown };
type Lookup = (service: string) => ServiceDefinition | undefined;

/** Its functions are called by `ctx.promise` and the routes `/v1/promises`. */
export const Promises = builtinContract("#promises", {
  create: fn({ input: anything<PromiseRequest>() }),
  settle: fn({ input: anything<Settlement>(), output: anything<PromiseView>() }),
  expire: fn(),
  /** Nobody waits for it any more: it is settled with this error, and nobody is told. How it was settled before, if it was. */
  withdraw: fn({ input: anything<OutcomeError>(), output: anything<Outcome | null>() }),
  forget: fn(),
  status: query({ output: anything<PromiseView>() }),
});

type Context = FnContext<PromiseState>;

export function promisesService(lookup: Lookup): ServiceDefinition {
  const initial = (): PromiseState => ({ to: null, deadline: null, timer: null, outcome: null, status: "pending" });
  return builtinService(Promises, initial, {
    create(ctx, { to, deadline }) {
      if (ctx.state.to !== null) throw new TidegateError("promise-exists", `there is a promise "${ctx.key}" already`);
      const timer = deadline === null ? null : ctx.send(Promises, ctx.key, { at: deadline }).expire();
      ctx.state = { to, deadline, timer, outcome: null, status: "pending" };
    },
    settle: (ctx, settlement) => settle(lookup, ctx, settlement),
    expire(ctx) {
      if (ctx.state.to === null || ctx.state.outcome !== null) return;
      const error = { type: "deadline", message: "nobody has resolved the promise in time" };
      end(lookup, ctx, "expired", { ok: false, error });
    },
    async withdraw(ctx, error) {
      const { to, outcome } = ctx.state;
      if (to === null || outcome !== null) return outcome;
      if (ctx.state.timer !== null) await ctx.cancel(ctx.state.timer);
      ctx.state.to = NOBODY;
      end(lookup, ctx, "rejected", { ok: false, error });
      return null;
    },
    forget: (ctx) => ctx.clear(),
    status: (ctx) => view(ctx.key, ctx.state as PromiseState),
  });
}

async function settle(lookup: Lookup, ctx: Context, settlement: Settlement): Promise<PromiseView> {
  const { to, outcome: before, timer } = ctx.state;
  if (to === null) throw unknown(ctx.key);
  const given = outcomeOf(settlement);
  const checked = await checkedOutcome(lookup, to, given);
  if (before !== null) {
    // The same once more is answered like the first time.
    if (isSameValue(checked, before)) return view(ctx.key, ctx.state);
    throw new TidegateError("promise-settled", `the promise is ${ctx.state.status} already`);
  }
  if (timer !== null) await ctx.cancel(timer);
  end(lookup, ctx, settlement.ok ? "resolved" : "rejected", checked);
  return view(ctx.key, ctx.state);
}

function outcomeOf(settlement: Settlement): Outcome {
  if (settlement.ok) return { ok: true, value: settlement.value };
  const { reason } = settlement;
  const message = typeof reason === "string" ? reason : "the promise was rejected";
  return { ok: false, error: { type: "rejected", message, ...(reason === undefined ? {} : { data: reason }) } };
}

/** What comes from outside is refused when the function would not take it: later nobody could be told. */
async function checkedOutcome(lookup: Lookup, to: Reply, outcome: Outcome): Promise<Outcome> {
  const input = lookup(to.service)?.contract.functions[to.name]?.input;
  if (input === undefined) return outcome;
  const checked = await validate(input, outcome);
  if (checked.ok) return outcome;
  const issues = issuesText(checked.issues);
  throw new TidegateError("invalid-input", `the value does not fit: ${issues}`);
}

function end(lookup: Lookup, ctx: Context, status: PromiseView["status"], outcome: Outcome): void {
  const { to } = ctx.state;
  ctx.state.status = status;
  ctx.state.outcome = outcome;
  ctx.state.timer = null;
  if (to !== null) tell(lookup, ctx, to, outcome);
  ctx.send(Promises, ctx.key, { delay: PROMISE_KEPT_MS }).forget();
}

/** Sends an outcome to whom it is for. Where this code does not know that, other code may: of an update under way, or if what was taken back comes again. */
export function tell(lookup: Lookup, ctx: Pick<FnContext, "send">, to: Reply, outcome: Outcome): void {
  const known = lookup(to.service)?.contract;
  const isKnown = known?.functions[to.name]?.kind === "fn";
  if (!isKnown && !mayBeKnown(to.service)) return;
  const sends = ctx.send(isKnown ? known : addressOf(to.service, to.name), to.key) as Sends;
  sends[to.name]?.(to.about === undefined ? outcome : { ...outcome, about: to.about });
}
type Sends = Record<string, (input: unknown) => void>;

/** Nobody is told where a promise was withdrawn, nor what is the engine's own but for sagas. */
function mayBeKnown(service: string): boolean {
  return service !== NOBODY.service && (!service.startsWith("#") || service.startsWith(sagaServiceName("")));
}

function view(id: string, { to, status, deadline, outcome }: PromiseState): PromiseView {
  if (to === null) throw unknown(id);
  const known = { id, status, deadline };
  if (outcome === null) return known;
  return outcome.ok ? { ...known, value: outcome.value ?? null } : { ...known, error: outcome.error };
}

function unknown(id: string): TidegateError {
  return new TidegateError("unknown-promise", `there is no promise "${id}"`);
}
