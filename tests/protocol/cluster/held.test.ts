/** Requests that come while their partition is not up. */
import { expect, test } from "vitest";
import { LIMITS } from "../../../protocol/limits.ts";
import { COORDINATOR } from "../../../protocol/wire/messages.ts";
import { INGEST } from "../../../protocol/wire/ingest.ts";
import { count, flow, stream, text, timestamp, tumbling } from "../../../sdk/index.ts";
import { add } from "../../workerd/support/steps.ts";
import { clientId } from "../support/ingest-frame.ts";
import { Cluster } from "../support/cluster.ts";
import { kernels } from "../support/lone-partition.ts";

const Clicks = stream("clicks", { page: text(), at: timestamp() });
const clicks = flow("clicks")
  .from(Clicks, { time: "at" })
  .keyBy("page")
  .window(tumbling("1h"))
  .aggregate({ n: count() })
  .toView("clicks");

const envelope = (tail: Uint8Array, id = 0): Uint8Array =>
  kernels.pack(INGEST, {
    rows: 1,
    columns: [0, id, 0, 1],
    fields: [clientId(id), Clicks.name],
    tail,
  });

test("they have a bound, whatever they are; beyond it they are refused and may be sent again", async () => {
  const c = await Cluster.up(1, [], [clicks]);
  await c.restart(0);
  const large = new Uint8Array(LIMITS.maxHeldBytes / 2);
  const answers = [];
  for (let id = 0; id < 3; id++) answers.push(await c.give(0, { kind: "ingest", frame: envelope(large, id) }));
  expect(answers.map((answer) => answer()?.[0]?.status)).toEqual([undefined, 503, 503]);
  const query = { view: "clicks", key: undefined, limit: 1, after: undefined };
  let held = 0;
  while ((await c.give(0, { kind: "view", query }))() === undefined) held++;
  expect(held).toBeLessThan(LIMITS.maxHeldBytes / 1_000);
});

test("one whose frame proves damaged is refused, and those behind it are answered", async () => {
  const c = await Cluster.up(1, [], [clicks]);
  await c.restart(0);
  const damaged = await c.give(0, { kind: "ingest", frame: envelope(new Uint8Array(64)) });
  const behind = await c.ask(c.place(0), [add(1)]);
  expect(c.node(0).status).toMatchObject({ phase: "starting", held: 2 });
  expect(c.net.some(({ to }) => to === COORDINATOR)).toBe(true);
  await c.settle();
  expect([damaged()?.[0]?.status, behind.answer?.status]).toEqual([503, 200]);
});
