/** A service whose functions leave work until an event outside, and note how that ended. */
import { contract, fn, outcome, query, reply, type Schema, service, type ServiceDefinition } from "../../sdk/index.ts";
import { counted, functionHost } from "../world/functions.ts";
import { anything } from "./schema.ts";

interface Park {
  readonly n: number;
  /** Of the promise; others may want the same. */
  readonly id: string;
  /** Key that is told. */
  readonly to: string;
  /** ms, or null for none. */
  readonly deadline: number | null;
  readonly how: "return" | "throw" | "try";
}

/** A promise that was made: by which key, and when it ends at the latest by the clock of its maker, ms since 1970. */
export interface Parked {
  readonly n: number;
  readonly id: string;
  readonly deadline: number | null;
  /** True time, ms since 1970. */
  readonly ms: number;
}
/** What a key was told of a promise: {@link howOf}. */
export interface Heard {
  readonly n: number;
  readonly how: string;
  readonly ms: number;
}
export interface DeskState {
  parked: Parked[];
  heard: Heard[];
}

/** What an event from outside does to a promise, as its route has it. */
export type Settling = { readonly ok: true; readonly value: number } | { readonly ok: false; readonly reason: string };

/** How a promise ended, in one word and what came with it; undefined while it has not. */
export function howOf(end: {
  readonly value?: unknown;
  readonly error?: { readonly type: string; readonly data?: unknown };
}): string | undefined {
  if (end.error === undefined) return end.value === undefined ? undefined : `value ${String(end.value)}`;
  return end.error.type === "rejected" ? `reason ${String(end.error.data)}` : end.error.type;
}

/** Those below are refused, whoever sends them: the promise goes on waiting. */
const atLeastZero: Schema<number, number> = {
  "~standard": {
    version: 1,
    vendor: "tidegate-sim",
    validate: (value) =>
      typeof value === "number" && value >= 0 ? { value } : { issues: [{ message: "below zero" }] },
  },
};

const desk = contract("tp", {
  park: fn({ input: anything<Park>() }),
  heard: fn({ input: outcome(atLeastZero) }),
  seen: query({ output: anything<DeskState>() }),
});

export function promiseService(): ServiceDefinition {
  return service(
    desk,
    { state: (): DeskState => ({ parked: [], heard: [] }) },
    {
      park: (ctx, { n, id, to, deadline, how }) =>
        counted(async (host) => {
          if (how === "try") {
            // What it makes is undone with it.
            await ctx.try(desk, to).park({ n, id, to, deadline, how: "throw" });
            return;
          }
          const at = deadline === null ? null : ctx.now() + deadline;
          ctx.state.parked.push({ n, id, deadline: at, ms: host.trueMs });
          await ctx.promise(reply(desk, to, "heard", String(n)), { id, ...(deadline === null ? {} : { deadline }) });
          if (how === "throw") throw new Error("a promise is made in vain");
        }),
      heard(ctx, told) {
        const how = howOf(told.ok ? { value: told.value } : { error: told.error }) ?? "nothing";
        ctx.state.heard.push({ n: Number(told.about), how, ms: functionHost().trueMs });
      },
      seen: ({ state: { parked, heard } }) => ({
        parked: parked.map((each) => ({ ...each })),
        heard: heard.map((each) => ({ ...each })),
      }),
    },
  );
}
