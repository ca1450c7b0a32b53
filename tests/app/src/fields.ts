/** A stream with fields of every sort, and who emits its events. */
import * as z from "zod";
import {
  boolean,
  contract,
  float64,
  flow,
  fn,
  int64,
  nested,
  optional,
  service,
  sinks,
  stream,
  sum,
  text,
  timestamp,
} from "../../../sdk/index.ts";

export const Parcels = stream(
  "parcels",
  {
    id: nested("parcel.id", text()),
    country: optional(nested("parcel.to.country", text())),
    grams: optional(nested("parcel.grams", int64())),
    rate: optional(float64()),
    express: boolean(),
    at: timestamp(),
  },
  { retention: "1h" },
);

export const Sender = contract("parcel-sender", { send: fn({ input: z.object({ at: z.number() }) }) });
export const sender = service(
  Sender,
  {},
  {
    send(ctx, { at }) {
      ctx.emit(Parcels, { id: ctx.key, grams: 2n ** 60n, express: true, at });
      ctx.emit(Parcels, { id: `${ctx.key}!`, country: null, express: false, rate: 0.5, at });
    },
  },
);

const parcels = flow("parcel-weights").from(Parcels, { time: "at" });
export const parcelFlow = sinks(
  parcels.toView("parcels", { key: "id" }),
  parcels
    .keyBy("express")
    .aggregate({ grams: sum("grams") })
    .toView("parcel-weights"),
);
