/** Messages to Cloudflare Queues as effects. */

import { effect, type EffectDefinition, type EffectOptions } from "./effect.ts";
import { misconfigured } from "./errors.ts";
import { toJson } from "./json.ts";
import type { Schema } from "./schema.ts";

interface QueueOptions<In extends Schema> extends Pick<EffectOptions<In, undefined>, "retries" | "timeout"> {
  readonly input: In;
  /** Name of the queue's binding. */
  readonly binding: string;
}

interface Producer {
  send(body: unknown, options: { readonly contentType: "json" }): Promise<unknown>;
}

/** The body of a message of the queue: JSON. */
export interface QueueMessage<Data = unknown> {
  /** The effect's: a message that is in the queue twice has it twice. */
  readonly id: string;
  /** When the transaction ran that sent it; ms since 1970. */
  readonly at: number;
  readonly data: Data;
}

/**
 * Declares an effect that sends its input to a queue, in a {@link QueueMessage}.
 *
 * ```ts
 * import { queueProducer } from "tidegate";
 * import * as z from "zod";
 *
 * export const toAudit = queueProducer("audit", { binding: "AUDIT", input: z.object({ order: z.string() }) });
 * ```
 *
 * @throws TidegateError `misconfigured`
 */
export function queueProducer<In extends Schema>(
  name: string,
  options: QueueOptions<In>,
): EffectDefinition<In, undefined> {
  const { input, binding, retries, timeout } = options;
  if (typeof binding !== "string" || binding === "") throw misconfigured(`the queue of "${name}" has no binding`);
  return effect<In, undefined>(name, {
    input,
    async handler(ctx, data) {
      const queue = ctx.env[binding] as Producer | undefined;
      // To be tried again: a deploy may bring it.
      if (typeof queue?.send !== "function") throw new Error(`there is no queue bound as ${binding}`);
      const message: QueueMessage = { id: ctx.idempotencyKey, at: ctx.at, data: JSON.parse(toJson(data)) as unknown };
      await queue.send(message, { contentType: "json" });
    },
    ...(retries === undefined ? {} : { retries }),
    ...(timeout === undefined ? {} : { timeout }),
  });
}
