/** Keys with a text each; `/rows` tells what storage has counted. */
import * as z from "zod/mini";
import { contract, fn, query, service, tidegate } from "../../index.ts";
import { countRows, showCounts } from "../lib/count-rows.ts";

const Item = contract("item", {
  put: fn({ input: z.object({ text: z.string() }) }),
  get: query({ output: z.string() }),
});

const item = service(
  Item,
  { state: () => ({ text: "" }) },
  {
    put(ctx, { text }) {
      ctx.state.text = text;
    },
    get: (ctx) => ctx.state.text,
  },
);

const app = tidegate({ services: [item], partitions: 1 });
export class Partition extends app.Partition {
  constructor(...args: ConstructorParameters<typeof app.Partition>) {
    countRows(args[0]);
    super(...args);
  }
}
export class Coordinator extends app.Coordinator {}
export default {
  fetch: (request, env, context) =>
    new URL(request.url).pathname === "/rows" ? showCounts() : app.routes.fetch(request, env as object, context),
} satisfies ExportedHandler<unknown>;
