/** An auction house as a Worker. */
import { tidegate } from "tidegate";
import { auction } from "./auction.ts";
import { auctionHouse, turnover } from "./flows.ts";
import { wallet } from "./wallet.ts";

const app = tidegate({ services: [auction, wallet], flows: [auctionHouse, turnover], partitions: 4 });

export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
