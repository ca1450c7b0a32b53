/** What the shop tells the systems of its customers, signed. */
import { webhook } from "tidegate";
import * as z from "zod";

/** On this machine the receiver is the demo: `npm start` allows that, and no other address that is not of the public internet. */
const HOSTS = "SHOP_WEBHOOK_HOSTS";

export const invoicePaid = webhook("invoice-paid", {
  input: z.object({ url: z.string(), invoice: z.string(), total: z.int() }),
  url: ({ url }) => url,
  data: ({ invoice, total }) => ({ invoice, total }),
  type: "invoice.paid",
  secret: "SHOP_WEBHOOK_SECRET",
  retries: { attempts: 8, delay: "200ms", maxDelay: "1m" },
  timeout: "10s",
  allow(env) {
    const hosts = env[HOSTS];
    return typeof hosts === "string" && hosts !== "" ? { hosts: hosts.split(" "), http: true } : {};
  },
});
