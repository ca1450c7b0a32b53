/** How an object starts from its storage, and what becomes of it where it cannot. */
import { LIMITS } from "../protocol/limits.ts";
import { unstarted } from "../protocol/unstarted.ts";

/**
 * Nothing is let in before `start` has ended. Where it fails the object is gone, and the next event begins anew. What is kept there may wait for its
 * time, and the platform gives an alarm up whose object has not started a few times: so another one is set before the failure is told.
 *
 * @param failed is told why
 */
export function startObject(
  ctx: DurableObjectState,
  start: () => Promise<void>,
  failed: (error: unknown) => void,
): void {
  const started = ctx.blockConcurrencyWhile(async () => {
    try {
      await start();
    } catch (error) {
      failed(error);
      await ctx.storage.setAlarm(Date.now() + LIMITS.alarmMs);
      // What is not stored by then goes with the object.
      await ctx.storage.sync();
      throw unstarted(error);
    }
  });
  // It has been told, and whoever asks is told, too.
  started.then(undefined, () => undefined);
}
