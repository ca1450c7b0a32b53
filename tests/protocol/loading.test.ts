/** Messages that are stored are read some in a turn: none is lost, none comes twice, and those of a channel keep their order with what is sent meanwhile. */
import { expect, test } from "vitest";
import * as z from "zod";
import { LIMITS } from "../../protocol/limits.ts";
import { contract, fn, query, service } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";
import { useLimits } from "../support/limits.ts";

useLimits({ messagesPerTurn: 2, messageAttempts: 1_000 });

let isOpen = false;
const List = contract("list", {
  send: fn({ input: z.object({ to: z.string(), from: z.int(), times: z.int() }) }),
  add: fn({ input: z.int() }),
  all: query({ output: z.array(z.number()) }),
});
const list = service(
  List,
  { state: (): number[] => [] },
  {
    send(ctx, { to, from, times }) {
      for (let n = from; n < from + times; n++) ctx.send(List, to).add(n);
    },
    add(ctx, n) {
      if (!isOpen) throw new Error("not yet");
      ctx.state.push(n);
    },
    all: (ctx) => [...ctx.state],
  },
);

class Run extends LonePartition {
  constructor() {
    super([list]);
  }
  post = (key: string, to: string, from: number, times: number) =>
    this.call({ service: "list", key, name: "send", input: { to, from, times } });
  async all(key: string): Promise<unknown> {
    return JSON.parse((await this.call({ service: "list", key, name: "all" })).body);
  }
}
const upTo = (end: number) => Array.from({ length: end }, (_, n) => n);

test("by an instance that begins, with what comes while it reads", async () => {
  isOpen = false;
  const run = new Run();
  for (const sender of ["a", "b", "c"]) await run.post(sender, `of ${sender}`, 0, 9);
  run.partition.crash();
  // What it keeps is not all in memory, and it says so.
  expect(run.partition.engine.machine.status.outbox).toBe(LIMITS.messagesPerTurn + 1);
  isOpen = true;
  const tickets = ["a", "b", "c"].map((key) =>
    run.send([{ service: "list", key, name: "send", input: { to: `of ${key}`, from: 9, times: 4 } }]),
  );
  await run.settle();
  expect(tickets.map((ticket) => run.replies.get(ticket)?.[0]?.status)).toEqual([200, 200, 200]);
  await run.pass(10_000);
  for (const sender of ["a", "b", "c"]) expect(await run.all(`of ${sender}`)).toEqual(upTo(13));
  expect(run.partition.engine.machine.status.outbox).toBe(0);
});
