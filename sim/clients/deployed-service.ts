/**
 * One service in several versions of its code, each deployed after the other: what recurs is declared otherwise in each, and the form of its
 * state changes.
 */
import { contract, fn, query, service, type ServiceDefinition } from "../../sdk/index.ts";
import { functionHost } from "../world/functions.ts";
import { anything } from "./schema.ts";

/** What the code of a version declares: a message at each minute that `every` divides. */
export interface Beat {
  /** Unique among the versions, but where a schedule stays what it is. */
  readonly n: number;
  readonly every: number;
}
/** One that came. */
export interface Beaten {
  readonly n: number;
  readonly id: string;
  /** True time, ms since 1970. */
  readonly ms: number;
}
/** What a key shows. */
export interface Deployed {
  readonly added: readonly number[];
  /** Of them, where the state has that. */
  readonly sum: number | null;
  readonly beaten: readonly Beaten[];
}
/** As the first version of the code has it, and as all others do. */
interface Before {
  added: number[];
  beaten: Beaten[];
}
interface After {
  entries: number[];
  sum: number;
  beaten: Beaten[];
}

/** By the names of schedules. The last version declares nothing. */
export const DECLARED: ReadonlyArray<Readonly<Record<string, Beat>>> = [
  { stays: { n: 1, every: 1 }, changes: { n: 2, every: 2 }, ends: { n: 3, every: 1 } },
  { stays: { n: 1, every: 1 }, changes: { n: 4, every: 3 }, begins: { n: 5, every: 2 } },
  { stays: { n: 1, every: 1 }, changes: { n: 6, every: 1 }, begins: { n: 5, every: 2 } },
  {},
];
export const LAST_VERSION = DECLARED.length - 1;
/** From this version on the state has another form. */
const CHANGED = 1;

const deployed = contract("td", {
  add: fn({ input: anything<number>() }),
  beat: fn({ input: anything<number>() }),
  seen: query({ output: anything<Deployed>() }),
});

/** @param at key that the schedules are declared for */
export function deployedService(version: number, at: string): ServiceDefinition {
  const beats = Object.entries(DECLARED[version] ?? {});
  const schedules = Object.fromEntries(
    beats.map(([name, { n, every }]) => [name, { cron: cronOf(every), key: at, function: "beat" as const, input: n }]),
  );
  if (version < CHANGED) {
    return service(
      deployed,
      { state: (): Before => ({ added: [], beaten: [] }), schedules },
      {
        add: (ctx, n) => void ctx.state.added.push(n),
        beat: (ctx, n) => void ctx.state.beaten.push(beatOf(n, ctx.key)),
        seen: ({ state: { added, beaten } }) => ({ added: [...added], sum: null, beaten: copied(beaten) }),
      },
    );
  }
  return service(
    deployed,
    { version: 2, state: (): After => ({ entries: [], sum: 0, beaten: [] }), evolve: { 2: evolve }, schedules },
    {
      add(ctx, n) {
        ctx.state.entries.push(n);
        ctx.state.sum += n;
      },
      beat: (ctx, n) => void ctx.state.beaten.push(beatOf(n, ctx.key)),
      seen: ({ state: { entries, sum, beaten } }) => ({ added: [...entries], sum, beaten: copied(beaten) }),
    },
  );
}

function beatOf(n: number, key: string): Beaten {
  const host = functionHost();
  return { n, id: host.requestOf("td", key), ms: host.trueMs };
}

function copied(beaten: ReadonlyArray<Readonly<Beaten>>): Beaten[] {
  return beaten.map((each) => ({ ...each }));
}

function evolve({ added, beaten }: Before): After {
  return { entries: added, sum: added.reduce((sum, n) => sum + n, 0), beaten };
}

function cronOf(every: number): string {
  return every === 1 ? "* * * * *" : `*/${every} * * * *`;
}
