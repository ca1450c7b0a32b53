/** Keys that send themselves and each other messages for later, and count what arrives; two routes show what their objects have used. */
import { exports } from "cloudflare:workers";
import * as z from "zod";
import { usageFigures } from "../../durable/usage.ts";
import { contract, fn, query, service, tidegate } from "../../index.ts";

const Bell = contract("bell", {
  /** Sends `count` messages to a key, for times spread evenly from one to another; ms since 1970. */
  set: fn({ input: z.object({ to: z.string(), count: z.number(), from: z.number(), until: z.number() }) }),
  ring: fn({ input: z.object({ due: z.number() }) }),
  seen: query({ output: z.object({ rung: z.number(), early: z.number(), mostLateMs: z.number() }) }),
});

const bell = service(
  Bell,
  { state: () => ({ rung: 0, early: 0, mostLateMs: 0 }) },
  {
    set(ctx, { to, count, from, until }) {
      for (let n = 0; n < count; n++) {
        const due = Math.floor(from + (n / count) * (until - from));
        ctx.send(Bell, to, { at: due }).ring({ due });
      }
    },
    ring(ctx, { due }) {
      // The object's own clock: `ctx.now()` is never before the time, whatever that says.
      const late = Date.now() - due;
      ctx.state.rung += 1;
      if (late < 0) ctx.state.early += 1;
      ctx.state.mostLateMs = Math.max(ctx.state.mostLateMs, late);
    },
    seen: (ctx) => ctx.state,
  },
);

const app = tidegate({ services: [bell], partitions: 4 });
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}

interface Namespace {
  getByName(name: string): { usage(): Promise<unknown> };
}

/** Asks each object itself. */
async function ask(): Promise<Record<string, unknown>> {
  const own = exports as unknown as { Partition: Namespace };
  const names = Object.keys(usageFigures()).filter((name) => name.startsWith("partition"));
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await own.Partition.getByName(name).usage()] as const)),
  );
}

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    // The Worker and its objects share an isolate here, so that their figures are at hand without a call.
    if (pathname === "/usage") return Response.json(usageFigures());
    if (pathname === "/ask") return Response.json(await ask());
    return app.handler.fetch!(request as Parameters<NonNullable<typeof app.handler.fetch>>[0], env, ctx);
  },
} satisfies ExportedHandler<unknown>;
