/** Purchases on account: paid within half an hour or cancelled, confirmed by a webhook, shipped by a saga. */
import { reply, service } from "tidegate";
import { Account, Invoice, type InvoiceState, Report, Stock } from "./contracts.ts";
import { shipOrder } from "./shipping.ts";
import { invoicePaid } from "./webhooks.ts";

interface State extends InvoiceState {
  notify: string;
  collectWithin: number;
  /** The delayed message that cancels it. */
  timer: string;
}

const nothing = (): State => ({
  status: "none",
  customer: "",
  item: "",
  quantity: 0,
  total: 0,
  confirmed: 0,
  openedAt: 0,
  endedAt: 0,
  notify: "",
  collectWithin: 0,
  timer: "",
});

export const invoice = service(
  Invoice,
  { state: nothing },
  {
    async open(ctx, { customer, item, quantity, price, notify, payWithin, collectWithin }) {
      if (ctx.state.status !== "none") throw ctx.refuse("already-open");
      const reserved = await ctx.try(Stock, item).reserve({ quantity });
      if (!reserved.ok)
        throw reserved.refusal === undefined ? reserved.error : ctx.refuse("out-of-stock", reserved.refusal.data);
      const timer = ctx.send(Invoice, ctx.key, { delay: payWithin }).expire();
      const total = price * quantity;
      const known = { customer, item, quantity, total, notify, collectWithin, timer, openedAt: ctx.now() };
      ctx.state = { ...nothing(), ...known, status: "open" };
      ctx.send(Report, "all").watch({ item });
    },

    async pay(ctx) {
      const { status, timer, customer, total, notify, item, quantity, collectWithin } = ctx.state;
      if (status !== "open") throw ctx.refuse("not-open", { status });
      await ctx.cancel(timer);
      ctx.state.status = "paid";
      ctx.effect(invoicePaid, { url: notify, invoice: ctx.key, total }, reply(Invoice, ctx.key, "confirmed"));
      const parcel = { customer, item, quantity, total, collectWithin };
      ctx.start(shipOrder, ctx.key, parcel, reply(Invoice, ctx.key, "shipped"));
    },

    async expire(ctx) {
      const { status, item, quantity } = ctx.state;
      if (status !== "open") return;
      Object.assign(ctx.state, { status: "cancelled", endedAt: ctx.now() });
      await ctx.call(Stock, item).restock({ quantity });
    },

    confirmed: (ctx, { ok }) => void (ctx.state.confirmed += ok ? 1 : 0),

    async shipped(ctx, { ok }) {
      Object.assign(ctx.state, { status: ok ? "shipped" : "returned", endedAt: ctx.now() });
      if (!ok) await ctx.call(Account, ctx.state.customer).deposit({ amount: ctx.state.total });
    },

    read({ state: { status, customer, item, quantity, total, confirmed, openedAt, endedAt } }) {
      return { status, customer, item, quantity, total, confirmed, openedAt, endedAt };
    },
  },
);
