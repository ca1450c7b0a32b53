/** Tidegate: transactional services on a streaming dataflow, for Cloudflare Workers. What an application imports. */
import type { Hono } from "hono";
import { coordinatorClass } from "./durable/coordinator.ts";
import { partitionClass } from "./durable/partition.ts";
import { type AppOptions, defineApp } from "./sdk/app.ts";
import { servicesClass } from "./worker/entrypoint.ts";
import { effectsClass } from "./worker/effects/entrypoint.ts";
import { platformBackend } from "./worker/platform.ts";
import { takeMessages } from "./worker/queue.ts";
import { createRoutes } from "./worker/routes.ts";

export * from "./sdk/index.ts";

/** An app, ready to be exported by a Worker's main module. */
export interface TidegateApp {
  /** The Worker's default export. */
  readonly handler: ExportedHandler<unknown>;
  /** The routes alone, to be mounted in a Hono app of one's own. */
  readonly routes: Hono;
  /** Base of the exported Durable Object class `Partition`. */
  readonly Partition: ReturnType<typeof partitionClass>;
  /** Base of the exported Durable Object class `Coordinator`. */
  readonly Coordinator: ReturnType<typeof coordinatorClass>;
  /** Base of the class `Services`, to be exported where other Workers are to call by a service binding. */
  readonly Services: ReturnType<typeof servicesClass>;
  /** Base of the exported entrypoint class `Effects`, which an app with effects needs. */
  readonly Effects: ReturnType<typeof effectsClass>;
}

/**
 * Puts services and flows together.
 *
 * ```ts
 * const app = tidegate({ services: [account] });
 * export class Partition extends app.Partition {}
 * export class Coordinator extends app.Coordinator {}
 * export default app.handler;
 * ```
 *
 * @throws TidegateError `misconfigured` for definitions that cannot work together
 */
export function tidegate(options: AppOptions): TidegateApp {
  const app = defineApp(options);
  const backend = platformBackend(app);
  const routes = createRoutes(app, (c) => backend(c.env));
  return {
    routes,
    handler: {
      fetch: (request, env, ctx) => routes.fetch(request, env as object, ctx),
      queue: (batch, env) => takeMessages(app, backend(env), batch),
    },
    Partition: partitionClass(app),
    Coordinator: coordinatorClass(app),
    Services: servicesClass(routes),
    Effects: effectsClass(app),
  };
}
