/** Sagas in a simulated app, by mistakes of who starts them. */
import { contract, fn, query, saga, service } from "tidegate";
import { expect, test } from "vitest";
import * as z from "zod";
import { testApp } from "../../testing/index.ts";

const Desk = contract("desk", {
  open: fn({ input: z.object({ id: z.string(), item: z.unknown() }) }),
  note: fn({ input: z.string() }),
  notes: query({ output: z.array(z.string()) }),
});
const ship = saga("ship", {
  input: z.object({ item: z.string().min(1) }),
  steps: [{ name: "note", run: (ctx, { input }) => ctx.call(Desk, "notes").note(input.item) }],
});
const desk = service(
  Desk,
  { state: (): string[] => [] },
  {
    open(ctx, { id, item }) {
      ctx.state.push(`opened ${id}`);
      ctx.start(ship, id, { item: item as string });
    },
    note: (ctx, item) => void ctx.state.push(item),
    notes: (ctx) => ctx.state,
  },
);

test("a saga is not started with an input that does not fit, and whoever tries fails as a whole", async () => {
  const told: string[] = [];
  const app = testApp({
    services: [desk],
    sagas: [ship],
    log: (_level, entry) => void told.push(JSON.stringify(entry)),
  });
  const client = app.client({ Desk });
  await client.desk("a").open({ id: "s1", item: "lamp" });
  await expect(client.desk("a").open({ id: "s2", item: 7 })).rejects.toThrow();
  await app.drained();
  expect(await client.desk("a").notes()).toEqual(["opened s1"]);
  expect(await client.desk("notes").notes()).toEqual(["lamp"]);
  expect(told).toEqual([expect.stringContaining("does not fit its schema: /item")]);
});
