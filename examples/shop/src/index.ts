/** The shop as a Worker: what wrangler.jsonc names as `main`. */
import { tidegate } from "tidegate";
import { account } from "./account.ts";
import { cart } from "./cart.ts";
import { order } from "./order.ts";
import { salesPerMinute } from "./sales.ts";
import { stock } from "./stock.ts";

const app = tidegate({ services: [account, cart, order, stock], flows: [salesPerMinute], partitions: 4 });

export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
