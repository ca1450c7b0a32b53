/** A flow that ends in a queue and a webhook, and what comes back by that queue. */
import { count, flow, int64, max, sinks, stream, text, timestamp } from "../../../sdk/index.ts";

export const Letters = stream("letters", { letter: text(), grams: int64(), at: timestamp() });
/** What the queue delivers. */
export const Arrived = stream("letters-arrived", { letter: text(), grams: int64(), at: timestamp() });

const letters = flow("letters").from(Letters, { time: "at" });
const soon = { retries: { attempts: 4, delay: "20ms", maxDelay: "40ms" }, timeout: "2s" } as const;
export const letterFlow = sinks(
  letters.filter((e) => e.grams.ge(0)).toQueue("letters-out", { binding: "LETTERS", ...soon }),
  letters
    .filter((e) => e.letter.startsWith("told"))
    .toWebhook("letter-told", {
      url: "https://hooks.example/letters",
      secret: "HOOK_SECRET",
      type: "letter.sent",
      batch: 5,
      ...soon,
    }),
);

export const arrivedFlow = flow("letters-arrived")
  .from(Arrived, { time: "at" })
  .keyBy("letter")
  .aggregate({ n: count(), grams: max("grams") })
  .toView("letters-arrived");
