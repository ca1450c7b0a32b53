/** Services whose state has a time to live: a little, after it was written or used. */
import { collection, contract, fn, query, service, type ServiceDefinition } from "../../../sdk/index.ts";
import * as z from "zod";

export const TTL_MS = 800;

const shown = z.object({ n: z.number(), entries: z.array(z.string()) });
const functions = {
  add: fn({ output: z.number() }),
  put: fn({ input: z.string() }),
  drop: fn({ input: z.string() }),
  clear: fn(),
  look: query({ output: shown }),
  /** Looks by calling, from whatever key. */
  lookAt: query({ input: z.string(), output: shown }),
  addAt: fn({ input: z.string(), output: z.number() }),
  nothing: query({ output: z.number() }),
};
export const Written = contract("written", functions);
export const Used = contract("used", functions);

function shortlived(declared: typeof Written | typeof Used, after: "write" | "use"): ServiceDefinition {
  return service(
    declared as typeof Written,
    { state: () => ({ n: 0 }), collections: { items: collection<number>() }, ttl: { after, duration: TTL_MS } },
    {
      add: (ctx) => (ctx.state.n += 1),
      put: (ctx, item) => ctx.collections.items.set(item, 1),
      drop: (ctx, item) => void ctx.collections.items.delete(item),
      clear: (ctx) => ctx.clear(),
      look: (ctx) => ({ n: ctx.state.n, entries: ctx.collections.items.range().map(([item]) => item) }),
      lookAt: (ctx, key) => ctx.call(declared as typeof Written, key).look(),
      addAt: (ctx, key) => ctx.call(declared as typeof Written, key).add(),
      nothing: () => 7,
    },
  );
}

export const shortlivedServices = [shortlived(Written, "write"), shortlived(Used, "use")];
