/** The stock report: made every night at three, UTC, by a schedule that is declared here. */
import { collection, service } from "tidegate";
import { Report, Stock } from "./contracts.ts";

/** Articles that one report looks at: each is a call of its transaction. */
const ITEMS_MAX = 1_000;

export const report = service(
  Report,
  {
    state: () => ({ builtAt: 0 }),
    collections: { levels: collection<{ available: number }>() },
    schedules: { nightly: { cron: "0 3 * * *", key: "all", function: "build" } },
  },
  {
    watch(ctx, { item }) {
      if (!ctx.collections.levels.has(item)) ctx.collections.levels.set(item, { available: 0 });
    },

    async build(ctx) {
      const items = ctx.collections.levels.range({ limit: ITEMS_MAX }).map(([item]) => item);
      const levels = await Promise.all(items.map((item) => ctx.call(Stock, item).level()));
      for (const [at, item] of items.entries())
        ctx.collections.levels.set(item, { available: levels[at]?.available ?? 0 });
      ctx.state.builtAt = ctx.now();
      return { items: items.length };
    },

    read: (ctx) => ({
      builtAt: ctx.state.builtAt,
      levels: ctx.collections.levels.range({ limit: ITEMS_MAX }).map(([item, { available }]) => ({ item, available })),
    }),
  },
);
