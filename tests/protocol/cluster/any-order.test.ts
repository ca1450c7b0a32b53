/** Transfers and snapshots at the same time, with messages in any order and restarts in between, by seed. */
import { expect, test } from "vitest";
import { createRandom } from "../../../sim/random.ts";
import { add, on, read } from "../../workerd/support/steps.ts";
import { Cluster, type Request } from "../support/cluster.ts";

const PARTITIONS = 3;

function sumOf({ answer }: Request): number {
  const sums = JSON.parse(answer?.body ?? "") as Array<[{ n: number }]>;
  return sums.reduce((total, [{ n }]) => total + n, 0);
}

async function play(seed: number, restarts: boolean): Promise<{ transfers: Request[]; sums: Request[]; c: Cluster }> {
  const random = createRandom(seed);
  const c = await Cluster.up(PARTITIONS);
  const transfers: Request[] = [];
  const sums: Request[] = [];
  const all = Array.from({ length: PARTITIONS }, (_, peer) => on("call", c.place(peer), read));
  for (let turn = 0; turn < 150; turn++) {
    const move = random.int(12);
    if (move === 0) {
      const [from, to] = [random.int(PARTITIONS), random.int(PARTITIONS)];
      transfers.push(
        await c.ask(c.place(from, 1), [on("call", c.place(from), add(-1)), on("call", c.place(to), add(1))]),
      );
    } else if (move === 1) {
      const at = c.place(random.int(PARTITIONS), 2);
      sums.push(await c.ask(at, all, { name: "look", snapshot: random.oneIn(2) }));
    } else if (move === 2) await c.pass(random.int(300));
    else if (restarts && move === 3 && random.oneIn(4)) {
      if (random.oneIn(3)) await c.restartCoordinator();
      else await c.restart(random.int(PARTITIONS));
    } else if (c.net.length > 0) {
      const next = random.pick(c.net);
      await c.deliver((batch) => batch === next);
    }
  }
  await c.settle();
  return { transfers, sums, c };
}

test.each([[false], [true]])("every sum is 0, answered or not everything ends, restarts: %s", async (restarts) => {
  let answered = 0;
  for (let seed = 1; seed <= 25; seed++) {
    const { transfers, sums, c } = await play(seed, restarts);
    for (const request of [...transfers, ...sums]) {
      expect(request.answers, `seed ${seed}`).toBeLessThanOrEqual(1);
      if (!restarts) expect(request.answer?.status, `seed ${seed}`).toBe(200);
    }
    for (const request of sums) {
      if (request.answer?.status !== 200) continue;
      expect(sumOf(request), `seed ${seed}`).toBe(0);
      answered += 1;
    }
    const at = Array.from({ length: PARTITIONS }, (_, peer) => c.place(peer));
    let total = 0;
    for (const place of at) total += Number(await c.look(place));
    expect(total, `seed ${seed}`).toBe(0);
    for (const peer of at.keys()) {
      expect(c.node(peer).status).toMatchObject({ attempts: 0, locks: 0, undecided: 0, waiting: 0, phase: "up" });
    }
  }
  expect(answered).toBeGreaterThan(100);
});
