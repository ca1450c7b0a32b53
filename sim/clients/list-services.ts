/** Services whose state is a list, and whose functions run steps on it. */
import {
  contract,
  fn,
  type FnContext,
  query,
  type QueryContext,
  service,
  type ServiceDefinition,
} from "../../sdk/index.ts";
import { functionHost, type FunctionHost } from "../world/functions.ts";
import { anything } from "./schema.ts";
import { appendsOf, type Call, type Done, type ListState, type Micro, nameOf, type Place, type Step } from "./steps.ts";

interface Program {
  readonly steps: readonly Step[];
}
export interface Message extends Program {
  readonly from: string;
  readonly number: number;
}

const refusals = { no: anything<Done>() };
const functions = {
  run: fn({ input: anything<Program>(), output: anything<Done>(), refusals }),
  look: query({ input: anything<Program>(), output: anything<Done>(), refusals }),
  receive: fn({ input: anything<Message>(), output: anything<Done>(), refusals }),
  messages: query({ output: anything<Pick<ListState, "sent" | "inbox">>() }),
};
type Refusals = typeof refusals;
type Context = FnContext<ListState, {}, Refusals>;

/** Two of them keep lists of their own under the same keys. */
export const LIST_SERVICES = ["la", "lb"] as const;
const contracts = new Map(LIST_SERVICES.map((name) => [name as string, contract(name, functions)]));

export function listServices(): ServiceDefinition[] {
  return [...contracts.values()].map((declared) =>
    service(
      declared,
      { state: (): ListState => ({ list: [], sent: {}, inbox: [] }) },
      {
        run: (ctx, { steps }) => run(declared.name, "run", ctx, steps),
        look: (ctx, { steps }) => run(declared.name, "look", asWriter(ctx), steps),
        receive: (ctx, { from, number, steps }) => {
          ctx.state.inbox.push([from, number]);
          return run(declared.name, "run", ctx, steps);
        },
        messages: ({ state: { sent, inbox } }) => ({
          sent: { ...sent },
          inbox: inbox.map(([from, n]): [string, number] => [from, n]),
        }),
      },
    ),
  );
}

/** A query's context is the same object with writing refused: what a program does to it is the engine's to refuse. */
function asWriter(ctx: QueryContext<ListState, {}, Refusals>): Context {
  return ctx as unknown as Context;
}

interface Running {
  readonly host: FunctionHost;
  readonly ctx: Context;
  readonly at: Place;
  readonly name: "run" | "look";
  readonly micro: Micro[];
  /** Nothing was appended or called yet: what was read until here was committed before this function began. */
  pure: boolean;
}

async function run(serviceName: string, name: "run" | "look", ctx: Context, steps: readonly Step[]): Promise<Done> {
  const host = functionHost();
  host.functions += 1;
  const running: Running = { host, ctx, at: [serviceName, ctx.key], name, micro: [], pure: true };
  try {
    for (const step of steps) await perform(running, step);
    return { m: running.micro };
  } finally {
    host.functions -= 1;
  }
}

function perform(running: Running, step: Step): void | Promise<void> {
  const { ctx, micro, host } = running;
  switch (step.op) {
    case "read":
      micro.push(["read", nameOf(running.at), [...ctx.state.list]]);
      return;
    case "append":
      running.pure = false;
      ctx.state.list.push(step.value);
      micro.push(["append", nameOf(running.at), step.value]);
      return;
    case "pause":
      return host.pause(step.ms);
    case "refuse":
    case "throw":
      if (ctx.state.list.length % step.every !== 0) return;
      if (step.op === "throw") throw new Error("a step threw");
      throw ctx.refuse("no", { m: shown(running) });
    case "send":
      return send(running, step);
    case "loose":
      running.pure = false;
      // What it will have done is told before it has: the function has answered by then. Its calls only append.
      micro.push(...appendsOf(running.at, [step]));
      void callLoose(running, step);
      return;
    default:
      running.pure = false;
      return step.op === "all" ? callAll(running, step.calls) : callOne(running, step);
  }
}

/** What a refusal shows: the length of the list decided, so the list is part of it. */
function shown({ pure, micro, at, ctx }: Running): Micro[] {
  return pure ? [...micro, ["read", nameOf(at), [...ctx.state.list]]] : [];
}

async function callOne(running: Running, step: Call & { readonly op: "call" | "try" | "catch" }): Promise<void> {
  const { ctx, micro } = running;
  const name = step.look ? "look" : running.name;
  const input = { steps: step.steps };
  if (step.op === "call") {
    micro.push(...(await ctx.call(contractAt(step.at), step.at[1])[name](input)).m);
    return;
  }
  if (step.op === "catch") {
    // Its failure sticks to the transaction; this function only pretends that it does not.
    const call = ctx.call(contractAt(step.at), step.at[1])[name](input);
    micro.push(...(await call.catch((): Done => ({ m: [] }))).m);
    return;
  }
  const tried = await ctx.try(contractAt(step.at), step.at[1])[name](input);
  if (tried.ok) micro.push(...tried.value.m);
  else if (tried.refusal?.data.m.every(([, at]) => at === nameOf(step.at))) micro.push(...tried.refusal.data.m);
}

async function callAll({ ctx, micro, name }: Running, calls: readonly Call[]): Promise<void> {
  const done = await Promise.all(
    calls.map(({ at, steps, look }) => ctx.call(contractAt(at), at[1])[look ? "look" : name]({ steps })),
  );
  for (const { m } of done) micro.push(...m);
}

async function callLoose({ ctx, host }: Running, { calls, value }: Extract<Step, { op: "loose" }>): Promise<void> {
  host.functions += 1;
  try {
    for (const { at, steps } of calls) await ctx.call(contractAt(at), at[1]).run({ steps });
    ctx.state.list.push(value);
  } catch {
    // Its failure sticks to the transaction.
  } finally {
    host.functions -= 1;
  }
}

function send({ ctx, at }: Running, { at: to, steps }: Extract<Step, { op: "send" }>): void {
  const target = nameOf(to);
  const number = (ctx.state.sent[target] ?? 0) + 1;
  ctx.state.sent[target] = number;
  ctx.send(contractAt(to), to[1]).receive({ from: nameOf(at), number, steps });
}

function contractAt([name]: Place): NonNullable<ReturnType<typeof contracts.get>> {
  const found = contracts.get(name);
  if (!found) throw new Error(`there is no service "${name}" of lists`);
  return found;
}
