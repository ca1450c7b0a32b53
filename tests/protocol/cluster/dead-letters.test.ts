/** Messages that are given up, on their way to the list of dead letters, which lies in another partition. */
import { expect, test } from "vitest";
import type { EraseAnswer } from "../../../protocol/backup/asks.ts";
import { DEAD } from "../../../protocol/outbox/dead-letter.ts";
import { LIST } from "../../../protocol/outbox/dead-letters.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { contract, fn, service } from "../../../sdk/index.ts";
import { z } from "zod";
import { clientId } from "../support/ingest-frame.ts";
import { type Batch, Cluster, isOf } from "../support/cluster.ts";
import { kernels } from "../support/lone-partition.ts";
import { useLimits } from "../../support/limits.ts";

const text = z.string();
const Mail = contract("mail", {
  never: fn({ input: text }),
  pass: fn({ input: z.object({ to: text, told: text }) }),
});
const mail = service(
  Mail,
  { state: () => ({}), messages: { maxAttempts: 1 } },
  {
    never() {
      throw new Error("not today");
    },
    pass: (ctx, { to, told }) => void ctx.send(Mail, to).never(told),
  },
);
const limits = useLimits({});

class Domain {
  readonly cluster: Cluster;
  /** Where the list of the service is. */
  readonly list: number;
  readonly other: number;
  #ids = 0;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.list = cluster.partitionOf([DEAD, "mail"]);
    this.other = 1 - this.list;
  }

  static async up(): Promise<Domain> {
    return new Domain(await Cluster.up(2, [mail]));
  }

  /** A key that is not where the list is. */
  key(number: number): string {
    return this.cluster.place(this.other, number)[1];
  }

  /** @param held what is not delivered meanwhile */
  async invoke(key: string, name: string, input: unknown, flags = 0, held = nothing): Promise<string> {
    const id = clientId(++this.#ids);
    const service = flags === INVOKE_FLAG.internal ? DEAD : "mail";
    const columns = [1, INVOKE_FLAG.clientId | flags, 0, 0];
    const text = input === Infinity ? '{"big":1e400}' : JSON.stringify(input);
    const frame = kernels.pack(INVOKE, { rows: 1, columns, fields: [id, service, key, name, text] });
    const answered = await this.cluster.give(this.cluster.partitionOf([service, key]), { kind: "invoke", frame });
    await this.cluster.run(held);
    return answered()?.[0]?.body ?? "";
  }

  /** The inputs of the letters on the list. */
  async letters(): Promise<unknown[]> {
    const page = JSON.parse(await this.invoke("mail", LIST, { after: "", limit: 10 }, INVOKE_FLAG.internal)) as {
      readonly letters: ReadonlyArray<{ readonly input: unknown }>;
    };
    return page.letters.map(({ input }) => input);
  }

  async erase(key: string): Promise<void> {
    await this.invoke(key, "#erase", null, INVOKE_FLAG.erase);
    for (const partition of [0, 1]) {
      for (let round = 0; !(await this.#eraseAt(partition, key)); round++) {
        if (round > 100) throw new Error("it is never done");
        await this.cluster.fold(partition);
        await this.cluster.run();
      }
    }
  }

  async #eraseAt(partition: number, key: string): Promise<boolean> {
    const answer = await this.cluster.admin(partition, { op: "erase", service: "mail", key });
    if (answer instanceof Uint8Array || answer.status !== 200) throw new Error(JSON.stringify(answer));
    return (JSON.parse(answer.body) as EraseAnswer).done;
  }
}
const nothing: (batch: Batch) => boolean = () => false;

test("one that came from outside reaches the list, though its partition is lost before it leaves", async () => {
  const domain = await Domain.up();
  const { cluster, list, other } = domain;
  const leaves = isOf("post", other, list);
  await domain.invoke(domain.key(0), "never", "a word", INVOKE_FLAG.oneWay, leaves);
  expect(cluster.take(leaves)).toHaveLength(1);
  await cluster.restart(other);
  await cluster.settle();
  expect(await domain.letters()).toEqual(["a word"]);
});

test("one whose input holds a number that no answer can is listed, with those beside it", async () => {
  const domain = await Domain.up();
  await domain.invoke(domain.key(0), "never", Infinity, INVOKE_FLAG.oneWay);
  await domain.invoke(domain.key(0), "never", "a word", INVOKE_FLAG.oneWay);
  await domain.cluster.settle();
  expect(await domain.letters()).toEqual([undefined, "a word"]);
});

test("one to a key that is erased does not come to the list, though that was full until then", async () => {
  const domain = await Domain.up();
  const { cluster } = domain;
  const { maxDeadLetters } = limits;
  Object.assign(limits, { maxDeadLetters: 0 });
  await domain.invoke(domain.key(0), "pass", { to: domain.key(1), told: "a secret" });
  await domain.invoke(domain.key(0), "pass", { to: domain.key(2), told: "a word" });
  expect(await domain.letters()).toEqual([]);
  await domain.erase(domain.key(1));
  Object.assign(limits, { maxDeadLetters });
  await cluster.settle();
  expect(await domain.letters()).toEqual(["a word"]);
});
