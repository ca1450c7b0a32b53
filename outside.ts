/** The package outside Workers: in Node, browsers and bundlers, where contracts are shared and nothing is served. */
import type { TidegateApp } from "./index.ts";
import { type AppOptions, defineApp } from "./sdk/app.ts";
import { misconfigured } from "./sdk/errors.ts";

export * from "./sdk/index.ts";
export type { TidegateApp } from "./index.ts";

/**
 * Checks an app as a Worker would, so that a module that defines one can be imported for its contracts. Only what serves is missing:
 * using it throws.
 *
 * @throws TidegateError `misconfigured` for definitions that cannot work together
 */
export function tidegate(options: AppOptions): TidegateApp {
  defineApp(options);
  return {
    get routes(): never {
      return unavailable();
    },
    handler: { fetch: unavailable },
    // Functions can be extended, and throw when that is made an object of.
    Partition: unavailable as unknown as TidegateApp["Partition"],
    Coordinator: unavailable as unknown as TidegateApp["Coordinator"],
    Services: unavailable as unknown as TidegateApp["Services"],
    Effects: unavailable as unknown as TidegateApp["Effects"],
  };
}

function unavailable(): never {
  throw misconfigured(
    "an app runs in a Cloudflare Worker only: start it with `npx wrangler dev`, and import contracts alone elsewhere",
  );
}
