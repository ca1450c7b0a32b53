/** All fields of a bid, as the kernels take them. */
import type { EventColumn } from "../../core-wasm/types.ts";

export const BID_FIELDS: readonly EventColumn[] = [
  { name: "auction", type: "i64" },
  { name: "bidder", type: "i64" },
  { name: "price", type: "i64" },
  { name: "channel", type: "text" },
  { name: "url", type: "text" },
  { name: "dateTime", type: "i64" },
  { name: "extra", type: "text" },
];
