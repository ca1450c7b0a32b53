/** A service whose state lives until it was not used for a while: functions write it, look at it, and look in vain. */
import { contract, fn, noData, query, service, type ServiceDefinition } from "../../sdk/index.ts";
import { counted } from "../world/functions.ts";
import { anything } from "./schema.ts";

/** ms. */
export const USE_MS = 300;

/** What a function found: the number of who wrote last, null when that was gone. */
export interface Used {
  readonly n: number;
  readonly name: "touch" | "look" | "peek" | "refuse";
  /** Its place among all calls of functions: those of one key run one after the other. */
  readonly order: number;
  /** `ctx.now()`, and the true time. */
  readonly at: number;
  readonly ms: number;
  readonly found: number | null;
}
export type UseName = Used["name"];
export interface UseInput {
  readonly n: number;
  /** ms in which others may run, and what is expired may be looked for. */
  readonly pause: number;
}

const used = contract("tu", {
  /** Writes. */
  touch: fn({ input: anything<UseInput>(), output: anything<Used>() }),
  /** Looks, by a function that may write. */
  look: fn({ input: anything<UseInput>(), output: anything<Used>() }),
  peek: query({ input: anything<UseInput>(), output: anything<Used>() }),
  /** Looks, and changes nothing. */
  refuse: fn({ input: anything<UseInput>(), refusals: { no: noData } }),
});

interface State {
  last: number | null;
}

export function useService(): ServiceDefinition {
  return service(
    used,
    { state: (): State => ({ last: null }), ttl: { after: "use", duration: USE_MS } },
    {
      touch: (ctx, input) => perform("touch", ctx, input, () => void (ctx.state.last = input.n)),
      look: (ctx, input) => perform("look", ctx, input),
      peek: (ctx, input) => perform("peek", ctx, input),
      refuse: async (ctx, input) => {
        await perform("refuse", ctx, input);
        throw ctx.refuse("no");
      },
    },
  );
}

interface Context {
  readonly state: { readonly last: number | null };
  now(): number;
}

function perform(name: UseName, ctx: Context, { n, pause }: UseInput, act: () => void = () => {}): Promise<Used> {
  return counted(async (host) => {
    const order = host.nextOrder();
    const found = ctx.state.last;
    const { trueMs: ms } = host;
    if (pause > 0) await host.pause(pause);
    act();
    return { n, name, order, at: ctx.now(), ms, found };
  });
}
