/** The stateless entrypoint in which effects run: their connections and their time are not those of a partition. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { GivenCall, OutsideEnd } from "../../protocol/outside/work.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { runEffect } from "./run.ts";

export interface EffectsRpc {
  /** Runs one attempt of a committed effect. It never throws for what the handler does. */
  run(call: GivenCall): Promise<OutsideEnd>;
}

type EffectsClass = new (ctx: ExecutionContext, env: unknown) => WorkerEntrypoint & EffectsRpc;

/** The class to export as `Effects` for an app that has effects. */
export function effectsClass(app: AppDefinition): EffectsClass {
  return class Effects extends WorkerEntrypoint implements EffectsRpc {
    constructor(ctx: ExecutionContext, env: unknown) {
      super(ctx, env as never);
    }

    run(call: GivenCall): Promise<OutsideEnd> {
      return runEffect(app, call, this.env as object);
    }
  };
}
