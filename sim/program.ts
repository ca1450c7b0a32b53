/** Programs: transactions as data, so that the same one can be run by the engine, checked by a model, and made from a seed. */

/** What a program is run on: a service and a key. */
export type Place = readonly [service: string, key: string];
export type EntryKey = string | number;

export type Step =
  | { readonly op: "add"; readonly by: number }
  /** Adds, but lets others run between its read and its write. */
  | { readonly op: "slow-add"; readonly by: number }
  | { readonly op: "append"; readonly id: string }
  /** Shows the value and all entries. */
  | { readonly op: "read" }
  | { readonly op: "put"; readonly key: EntryKey; readonly value: number }
  | { readonly op: "delete"; readonly key: EntryKey }
  | { readonly op: "clear" }
  /** Lets others run: anything may happen here. */
  | { readonly op: "pause"; readonly ms?: number }
  | { readonly op: "throw" }
  | { readonly op: "refuse" }
  | { readonly op: "call" | "try" | "catch"; readonly at: Place; readonly steps: readonly Step[] }
  /** Nobody awaits the call, nor what is done behind it. */
  | { readonly op: "loose"; readonly at: Place; readonly steps: readonly Step[]; readonly then?: readonly Step[] }
  /** Calls made at once and awaited together. */
  | { readonly op: "all"; readonly calls: readonly SiblingCall[] };

export interface SiblingCall {
  readonly at: Place;
  readonly steps: readonly Step[];
  /** By `ctx.try`: it may fail without its siblings. */
  readonly tried?: boolean;
}

/** The value under each key of a program's services. */
export interface ProgramState {
  n: number;
  ids: string[];
}
export const initialState = (): ProgramState => ({ n: 0, ids: [] });

/** What `read` shows. */
export interface Shown {
  readonly n: number;
  readonly ids: readonly string[];
  /** Number keys by value, then string keys by their UTF-8 bytes. */
  readonly entries: ReadonlyArray<readonly [EntryKey, number]>;
}

/** What a program saw: one item for each step that shows something. */
export type Seen = Shown | readonly Seen[] | { readonly failed: string } | "caught";

/** What a running program needs of its surroundings; the engine's `ctx` and the tests' doubles both fit behind it. */
export interface Machine {
  state(): ProgramState;
  put(key: EntryKey, value: number): void;
  delete(key: EntryKey): void;
  entries(): Array<[EntryKey, number]>;
  clear(): void;
  pause(ms: number): Promise<void>;
  refuse(): unknown;
  call(at: Place, steps: readonly Step[]): Promise<readonly Seen[]>;
  /** The result, or the word for what went wrong: `no` for the refusal, else the error's type. */
  try(at: Place, steps: readonly Step[]): Promise<readonly Seen[] | { readonly failed: string }>;
}

/** Runs a program's steps in order. */
export async function runProgram(machine: Machine, steps: readonly Step[]): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const step of steps) await runStep(machine, step, seen);
  return seen;
}

async function runStep(machine: Machine, step: Step, seen: Seen[]): Promise<void> {
  switch (step.op) {
    case "pause":
      return machine.pause(step.ms ?? 0);
    case "slow-add": {
      const { n } = machine.state();
      await machine.pause(0);
      machine.state().n = n + step.by;
      return;
    }
    case "throw":
      throw new Error("a program's step threw");
    case "refuse":
      throw machine.refuse();
    case "call":
      seen.push(await machine.call(step.at, step.steps));
      return;
    case "try":
      seen.push(await machine.try(step.at, step.steps));
      return;
    case "catch":
      seen.push(await machine.call(step.at, step.steps).catch(() => "caught" as const));
      return;
    case "loose":
      // A failure of it sticks to the transaction; this function need not hear of it.
      machine
        .call(step.at, step.steps)
        .then(() => runProgram(machine, step.then ?? []))
        .catch(() => undefined);
      return;
    case "all":
      seen.push(
        await Promise.all(
          step.calls.map(({ at, steps, tried }) => (tried ? machine.try(at, steps) : machine.call(at, steps))),
        ),
      );
      return;
    default:
      runLocal(machine, step, seen);
  }
}

type LocalStep = Extract<Step, { op: "add" | "append" | "read" | "put" | "delete" | "clear" }>;

function runLocal(machine: Machine, step: LocalStep, seen: Seen[]): void {
  switch (step.op) {
    case "add":
      machine.state().n += step.by;
      return;
    case "append":
      machine.state().ids.push(step.id);
      return;
    case "read":
      seen.push({ n: machine.state().n, ids: [...machine.state().ids], entries: machine.entries() });
      return;
    case "put":
      machine.put(step.key, step.value);
      return;
    case "delete":
      machine.delete(step.key);
      return;
    case "clear":
      machine.clear();
  }
}
