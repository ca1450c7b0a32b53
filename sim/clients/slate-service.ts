/** A service whose functions write entries under a key and clear all of it; and what is told to keys and by them, to be erased. */
import {
  collection,
  type CollectionSpec,
  contract,
  fn,
  type FnContext,
  query,
  service,
  type ServiceDefinition,
} from "../../sdk/index.ts";
import { counted } from "../world/functions.ts";
import { anything } from "./schema.ts";

/** What a function found under a key, before it did anything. */
export interface Slate {
  readonly key: string;
  readonly name: "write" | "wipe" | "clear";
  readonly n: number;
  readonly text: string;
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
  /** A key that it writes to as well. */
  readonly beside: string | null;
}
interface Later extends Written {
  readonly to: string;
  /** ms. */
  readonly delay: number;
}
export type SlateName = "write" | "wipe" | "clear" | "later";
export type SlateInput = Written | Later;

const slate = contract("tx", {
  write: fn({ input: anything<Written>(), output: anything<Slate[]>() }),
  /** Clears it, and writes one. */
  wipe: fn({ input: anything<Written>(), output: anything<Slate[]>() }),
  clear: fn({ input: anything<Written>(), output: anything<Slate[]>() }),
  /** Sends a message for later, which keeps the text until then. */
  later: fn({ input: anything<Later>() }),
  seen: query({ output: anything<Pick<Slate, "entries" | "sum">>() }),
});

type Context = FnContext<{ sum: number }, { entries: CollectionSpec<string, string> }>;

export function slateService(): ServiceDefinition {
  return service(
    slate,
    { state: () => ({ sum: 0 }), collections: { entries: collection<string>() } },
    {
      write: (ctx, written) => perform(ctx, "write", written),
      wipe: (ctx, written) => perform(ctx, "wipe", written),
      clear: (ctx, written) => perform(ctx, "clear", written),
      later: (ctx, { to, delay, ...written }) => void ctx.send(slate, to, { delay }).write(written),
      seen: ({ state, collections }) => ({ sum: state.sum, entries: collections.entries.range() }),
    },
  );
}

/** What it found, and what was found under the other key. */
function perform(ctx: Context, name: Slate["name"], { n, text, pause, beside }: Written): Promise<Slate[]> {
  return counted(async (host) => {
    const { entries } = ctx.collections;
    const found = {
      key: ctx.key,
      name,
      n,
      text,
      order: host.nextOrder(),
      sum: ctx.state.sum,
      entries: entries.range(),
    };
    if (name !== "write") ctx.clear();
    if (pause > 0) await host.pause(pause);
    if (name !== "clear") {
      entries.set(`e${n}`, text);
      ctx.state.sum += n;
    }
    if (beside === null || beside === ctx.key) return [found];
    const more = await ctx.call(slate, beside).write({ n, text, pause: 0, beside: null });
    return [found, ...more];
  });
}
