/** The shop as a Worker: what wrangler.jsonc names as `main`. */
import { tidegate } from "tidegate";
import { account } from "./account.ts";
import { cart } from "./cart.ts";
import { invoice } from "./invoice.ts";
import { order } from "./order.ts";
import { report } from "./report.ts";
import { salesPerMinute } from "./sales.ts";
import { shipOrder } from "./shipping.ts";
import { stock } from "./stock.ts";
import { invoicePaid } from "./webhooks.ts";

const app = tidegate({
  services: [account, cart, invoice, order, report, stock],
  flows: [salesPerMinute],
  effects: [invoicePaid],
  sagas: [shipOrder],
  partitions: 4,
});

export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export class Effects extends app.Effects {}
export default app.handler;
