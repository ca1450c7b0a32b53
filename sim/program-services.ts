/** Services that run programs: the same code in tests on workerd and in the simulator. */
import {
  collection,
  contract,
  type FnContext,
  fn,
  noData,
  query,
  type QueryContext,
  service,
  type ServiceDefinition,
} from "../sdk/index.ts";
import * as z from "zod";
import {
  initialState,
  type Machine,
  type Place,
  type ProgramState,
  runProgram,
  type Seen,
  type Step,
} from "./program.ts";

const input = z.object({ steps: z.array(z.any()) });
/** Programs have no schema of their own: they are made by tests. */
const output = z.any();
const functions = {
  run: fn({ input, output, refusals: { no: noData } }),
  look: query({ input, output, refusals: { no: noData } }),
};
const collections = { entries: collection<number, string>(), numbers: collection<number, number>() };
type Collections = typeof collections;
type Refusals = { no: typeof noData };
type Context = FnContext<ProgramState, Collections, Refusals>;

/** Names of the services: each keeps state of its own under every key. */
export const PROGRAM_SERVICES = ["pa", "pb", "pc", "pd"] as const;
export const programContracts = new Map(PROGRAM_SERVICES.map((name) => [name as string, contract(name, functions)]));

type Pause = (ms: number) => Promise<void>;

/** @param pause what the step of that name awaits */
export function programServices(pause: Pause): ServiceDefinition[] {
  return [...programContracts.values()].map((declared) =>
    service(
      declared,
      { state: initialState, collections },
      {
        run: (ctx, { steps }) => runProgram(machineOf(ctx, "run", pause), steps as Step[]),
        // A query's context is the same object with writing refused: what a program does to it is the engine's to refuse.
        look: (ctx, { steps }) => runProgram(machineOf(asWriter(ctx), "look", pause), steps as Step[]),
      },
    ),
  );
}

function asWriter(ctx: QueryContext<ProgramState, Collections, Refusals>): Context {
  return ctx as unknown as Context;
}

function machineOf(ctx: Context, name: "run" | "look", pause: Pause): Machine {
  return {
    state: () => ctx.state,
    put: (key, value) =>
      typeof key === "string" ? ctx.collections.entries.set(key, value) : ctx.collections.numbers.set(key, value),
    delete: (key) =>
      void (typeof key === "string" ? ctx.collections.entries.delete(key) : ctx.collections.numbers.delete(key)),
    entries: () => [...ctx.collections.numbers.range(), ...ctx.collections.entries.range()],
    clear: () => ctx.clear(),
    pause,
    refuse: () => ctx.refuse("no"),
    call: async (at, steps) => ctx.call(contractAt(at), at[1])[name]({ steps: [...steps] }) as Promise<readonly Seen[]>,
    try: async (at, steps) => {
      const tried = await ctx.try(contractAt(at), at[1])[name]({ steps: [...steps] });
      if (tried.ok) return tried.value as readonly Seen[];
      return { failed: tried.refusal ? tried.refusal.name : tried.error.type };
    },
  };
}

function contractAt([name]: Place): NonNullable<ReturnType<typeof programContracts.get>> {
  const found = programContracts.get(name);
  if (!found) throw new Error(`there is no service "${name}" for programs`);
  return found;
}
