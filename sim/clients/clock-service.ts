/** A service whose functions send messages for later, cancel some, and note what arrived, whoever sent it and when. */
import { contract, fn, query, service, type ServiceDefinition } from "../../sdk/index.ts";
import { counted, type FunctionHost, functionHost } from "../world/functions.ts";
import { anything } from "./schema.ts";

/** What goes wrong with a message. Times are true, ms since 1970. */
interface Mishap {
  /** It fails before this time: longer than it is tried, perhaps. */
  readonly failUntil?: number;
  /** It ends whoever runs it, likewise. */
  readonly deadlyUntil?: number;
  /** ms that it takes. */
  readonly pause?: number;
}
export interface Later extends Mishap {
  readonly to: string;
  readonly delay: number;
  /** Sends so many. */
  readonly count: number;
  /** The second of them is cancelled again at once. */
  readonly undo: boolean;
}
interface Ring extends Mishap {
  /** Key of the sender; `outside` for those that no service has sent. */
  readonly from: string;
  readonly n: number;
  /** ms since 1970 by the sender's clock; 0 when nobody knows. */
  readonly due: number;
}

/** What became of one that was to be cancelled. */
export interface Dropped {
  readonly from: string;
  readonly n: number;
  /** It was waiting still. */
  readonly won: boolean;
}
export interface ClockState {
  /** Sent so far, by their numbers from 1: target, and id while nobody has asked for it in order to cancel it. */
  sent: Array<{ to: string; id: string | null }>;
  rung: Array<Ring & { readonly ms: number }>;
  dropped: Dropped[];
}

/** Tries at a message, and where some end whoever runs them: enough for others that are lost with them. */
export const CLOCK_ATTEMPTS = 2;
export const DEADLY_ATTEMPTS = 5;

const clock = contract("tc", {
  later: fn({ input: anything<Later>(), output: anything<number>() }),
  /** Takes one of the ids, so that nobody else cancels that message: the `nth` newest. */
  give: fn({ input: anything<number>(), output: anything<{ n: number; id: string } | null>() }),
  /** Cancels a message of another key. */
  drop: fn({ input: anything<{ from: string; nth: number }>(), output: anything<Dropped | null>() }),
  ring: fn({ input: anything<Ring>() }),
  seen: query({ output: anything<ClockState>() }),
});

/** @param maxAttempts tries at a message */
export function clockService(maxAttempts: number): ServiceDefinition {
  return service(
    clock,
    { state: (): ClockState => ({ sent: [], rung: [], dropped: [] }), messages: { maxAttempts } },
    {
      later: (ctx, { to, delay, count, undo, ...mishap }) =>
        counted(async () => {
          for (let sent = 0; sent < count; sent++) {
            const n = ctx.state.sent.length + 1;
            const id = ctx.send(clock, to, { delay }).ring({ from: ctx.key, n, due: ctx.now() + delay, ...mishap });
            const isUndone = undo && sent === 1;
            ctx.state.sent.push({ to, id: isUndone ? null : id });
            if (isUndone) ctx.state.dropped.push({ from: ctx.key, n, won: await ctx.cancel(id) });
          }
          return ctx.state.sent.length;
        }),
      give(ctx, nth) {
        const at = ctx.state.sent.length - nth;
        const id = ctx.state.sent[at]?.id ?? null;
        if (id === null) return null;
        (ctx.state.sent[at] as ClockState["sent"][number]).id = null;
        return { n: at + 1, id };
      },
      drop: (ctx, { from, nth }) =>
        counted(async () => {
          const given = from === ctx.key ? null : await ctx.call(clock, from).give(nth);
          if (given === null) return null;
          const dropped = { from, n: given.n, won: await ctx.cancel(given.id) };
          ctx.state.dropped.push(dropped);
          return dropped;
        }),
      ring(ctx, ring) {
        const host = functionHost();
        if (host.trueMs < (ring.failUntil ?? 0)) throw new Error("it is not time for this one");
        if (ring.deadlyUntil === undefined && ring.pause === undefined) {
          ctx.state.rung.push({ ...ring, ms: host.trueMs });
          return undefined;
        }
        return counted(async () => {
          if (host.trueMs < (ring.deadlyUntil ?? 0)) await dieBy(host, ring);
          await host.pause(ring.pause ?? 0);
          ctx.state.rung.push({ ...ring, ms: host.trueMs });
        });
      },
      seen: ({ state: { sent, rung, dropped } }) => ({
        sent: sent.map((each) => ({ ...each })),
        rung: rung.map((each) => ({ ...each })),
        dropped: dropped.map((each) => ({ ...each })),
      }),
    },
  );
}

/** Never returns. */
function dieBy(host: FunctionHost, { from, n }: Ring): Promise<never> {
  host.kill(`${from}.${n}`);
  return new Promise<never>(() => {});
}
