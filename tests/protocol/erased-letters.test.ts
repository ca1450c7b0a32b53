/** Dead letters that were sent again and failed once more: they are their first sender's still, and are erased with it. */
import { expect, test } from "vitest";
import * as z from "zod";
import { contract, fn, service } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const Mail = contract("mail", {
  send: fn({ input: z.object({ to: z.string(), text: z.string() }) }),
  get: fn({ input: z.string() }),
});
const mail = service(
  Mail,
  { state: (): string[] => [], messages: { maxAttempts: 1 } },
  {
    send: (ctx, { to, text }) => void ctx.send(Mail, to).get(text),
    get() {
      throw new Error("not today");
    },
  },
);

interface Letter {
  readonly id: string;
  readonly from: unknown;
  readonly input: string;
}

class Domain extends LonePartition {
  readonly #list = { service: "#dead", key: "mail", internal: true };

  constructor() {
    super([mail]);
  }

  async letters(): Promise<Letter[]> {
    const { body } = await this.call({ ...this.#list, name: "list", input: { after: "", limit: 10 } });
    return (JSON.parse(body) as { letters: Letter[] }).letters;
  }

  async redrive(): Promise<void> {
    for (const { id } of await this.letters()) {
      const text = id.slice(0, -"-mail".length);
      expect((await this.call({ ...this.#list, name: "redrive", text })).body).toBe("true");
    }
    await this.pass(5_000);
  }

  async erase(key: string): Promise<void> {
    for (let round = 0; round < 10; round++) {
      this.partition.engine.input({ kind: "admin", ticket: 1_000, ask: { op: "erase", service: "mail", key } });
      await this.pass(1_000);
    }
  }
}

test.each([0, 1, 2])("a letter that was sent again %i times goes with its sender, and no other's", async (times) => {
  const domain = new Domain();
  for (const key of ["alice", "carol"]) {
    await domain.call({ service: "mail", key, name: "send", input: { to: "bob", text: `${key}'s` } });
  }
  await domain.pass(5_000);
  for (let n = 0; n < times; n++) await domain.redrive();
  expect((await domain.letters()).map(({ from }) => from)).toEqual([
    { service: "mail", key: "alice" },
    { service: "mail", key: "carol" },
  ]);
  await domain.erase("alice");
  expect((await domain.letters()).map(({ input }) => input)).toEqual(["carol's"]);
});
