/** Results of requests without a client's id: forgotten ones are refused, never run again, also when memory was lost between. */
import { expect, test, vi } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { ANSWER } from "../../protocol/wire/answer.ts";
import { INVOKE } from "../../protocol/wire/invoke.ts";
import { defineApp } from "../../sdk/index.ts";
import { SimPartition } from "../../sim/partition.ts";
import type { Seen, Step } from "../../sim/program.ts";
import { programServices } from "../../sim/program-services.ts";
import { createRandom } from "../../sim/random.ts";

vi.mock("../../protocol/limits.ts", async (original) => {
  const { smallLimits } = await import("./support/small-limits.ts");
  const { LIMITS } = smallLimits(await original());
  return { LIMITS: { ...LIMITS, edgeResultBytes: 1_000 } };
});

const kernels = createKernels(loadCore());

function partition() {
  const answers = new Map<number, { status: number; body: string }>();
  const sim = new SimPartition({
    app: defineApp({ services: programServices(() => Promise.resolve()), partitions: 1 }),
    kernels,
    random: createRandom(1),
    left(ticket, reply) {
      const table = kernels.unpack(ANSWER, reply as Uint8Array);
      answers.set(ticket, { status: table.column(0, 1), body: table.field(0, 0) });
    },
    durable: () => undefined,
  });
  let tickets = 0;
  async function send(id: string, steps: readonly Step[]) {
    const ticket = ++tickets;
    sim.clock += 1;
    const fields = [id, "pa", "k", "run", JSON.stringify({ steps })];
    sim.invoke(ticket, kernels.pack(INVOKE, { rows: 1, columns: [1, 0, 0, 0], fields }));
    for (let turn = 0; turn < 200 && !answers.has(ticket); turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const move of sim.moves()) move();
    }
    return answers.get(ticket);
  }
  const edgeId = (n: number) => `e${sim.clock.toString(16).padStart(11, "0")}${n.toString(16).padStart(20, "0")}`;
  return { sim, send, edgeId };
}

/** Sends `count` requests under fresh edge ids, each adding 1. */
async function addMany({ send, edgeId }: ReturnType<typeof partition>, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    ids.push(edgeId(n));
    expect((await send(ids[n] as string, [{ op: "add", by: 1 }]))?.status).toBe(200);
  }
  return ids;
}

async function total({ send, edgeId }: ReturnType<typeof partition>): Promise<unknown> {
  const answer = await send(edgeId(999), [{ op: "read" }]);
  return (JSON.parse(answer?.body ?? "[]") as Seen[])[0];
}

test("a kept one is answered again, a forgotten one is refused, neither is run again", async () => {
  const one = partition();
  const ids = await addMany(one, 30);
  expect((await one.send(ids.at(-1) as string, [{ op: "add", by: 1 }]))?.status).toBe(200);
  expect((await one.send(ids[0] as string, [{ op: "add", by: 1 }]))?.status).toBe(504);
  expect(await total(one)).toMatchObject({ n: 30 });
});

test("a forgotten one is still refused when its record is folded and memory is lost, whenever that is", async () => {
  for (let count = 2; count <= 40; count++) {
    const one = partition();
    const ids = await addMany(one, count);
    // Everything that is to be folded is, so that no record is left from which to work out what was forgotten.
    for (let moves = one.sim.moves(); moves.length > 0; moves = one.sim.moves()) moves[0]?.();
    one.sim.crash();
    for (const id of ids) expect([200, 504]).toContain((await one.send(id, [{ op: "add", by: 1 }]))?.status);
    expect([count, await total(one)]).toMatchObject([count, { n: count }]);
  }
});
