/** A service whose functions write entries under a key and clear all of it; and what is told to keys and by them, to be erased. */
import { collection, contract, fn, query, service, type ServiceDefinition } from "../../sdk/index.ts";
import { counted, functionHost } from "../world/functions.ts";
import { anything } from "./schema.ts";

/** What a function found, before it did anything. */
export interface Slate {
  /** Its place among all calls of functions: those of one key run one after the other. */
  readonly order: number;
  readonly entries: ReadonlyArray<readonly [key: string, text: string]>;
  /** Of the numbers that were written since it was cleared last. */
  readonly sum: number;
}
interface Written {
  readonly n: number;
  readonly text: string;
  /** ms in which others may run. */
  readonly pause: number;
}
interface Later extends Written {
  readonly to: string;
  /** ms. */
  readonly delay: number;
}
export type SlateName = "write" | "wipe" | "clear" | "later";
export type SlateInput = Written | Later;

const slate = contract("tx", {
  write: fn({ input: anything<Written>(), output: anything<Slate>() }),
  /** Clears it, and writes one. */
  wipe: fn({ input: anything<Written>(), output: anything<Slate>() }),
  clear: fn({ input: anything<Written>(), output: anything<Slate>() }),
  /** Sends a message for later, which keeps the text until then. */
  later: fn({ input: anything<Later>() }),
  seen: query({ output: anything<Omit<Slate, "order">>() }),
});

export function slateService(): ServiceDefinition {
  return service(
    slate,
    { state: () => ({ sum: 0 }), collections: { entries: collection<string>() } },
    {
      write: (ctx, { n, text, pause }) =>
        counted(async (host) => {
          const found = shown(ctx);
          if (pause > 0) await host.pause(pause);
          ctx.collections.entries.set(`e${n}`, text);
          ctx.state.sum += n;
          return found;
        }),
      wipe: (ctx, { n, text, pause }) =>
        counted(async (host) => {
          const found = shown(ctx);
          ctx.clear();
          if (pause > 0) await host.pause(pause);
          ctx.collections.entries.set(`e${n}`, text);
          ctx.state.sum += n;
          return found;
        }),
      clear(ctx) {
        const found = shown(ctx);
        ctx.clear();
        return found;
      },
      later: (ctx, { to, delay, ...written }) => void ctx.send(slate, to, { delay }).write(written),
      seen: ({ state, collections }) => ({ sum: state.sum, entries: collections.entries.range() }),
    },
  );
}

function shown(ctx: {
  readonly state: { readonly sum: number };
  readonly collections: { readonly entries: { range(): Array<[string, string]> } };
}): Slate {
  return { order: functionHost().nextOrder(), sum: ctx.state.sum, entries: ctx.collections.entries.range() };
}
