/** A flow that ends in a queue and a webhook, and what comes back by that queue. */
import { count, flow, int64, max, sinks, stream, text, timestamp } from "../../../sdk/index.ts";

export const Parcels = stream("parcels", { parcel: text(), grams: int64(), at: timestamp() });
/** What the queue delivers. */
export const Arrived = stream("parcels-arrived", { parcel: text(), grams: int64(), at: timestamp() });

const parcels = flow("parcels").from(Parcels, { time: "at" });
const soon = { retries: { attempts: 4, delay: "20ms", maxDelay: "40ms" }, timeout: "2s" } as const;
export const parcelFlow = sinks(
  parcels.filter((e) => e.grams.ge(0)).toQueue("parcels-out", { binding: "PARCELS", ...soon }),
  parcels
    .filter((e) => e.parcel.startsWith("told"))
    .toWebhook("parcel-told", {
      url: "https://hooks.example/parcels",
      secret: "HOOK_SECRET",
      type: "parcel.sent",
      batch: 5,
      ...soon,
    }),
);

export const arrivedFlow = flow("parcels-arrived")
  .from(Arrived, { time: "at" })
  .keyBy("parcel")
  .aggregate({ n: count(), grams: max("grams") })
  .toView("parcels-arrived");
