/** A partition of the simulated world, as the edge sees one: asked over the simulated network, again and again until it answers. */
import type { ViewReply } from "../../protocol/partition/effects.ts";
import type { RequestInput } from "../../sim/world/partition-instance.ts";
import { OUTSIDE } from "../../sim/world/network.ts";
import type { World } from "../../sim/world/world.ts";
import type { PartitionPort } from "../../worker/backend.ts";
import { REQUEST_MS, RESEND_LONGEST, RESEND_MS } from "../limits.ts";
import type { Pump } from "./pump.ts";

type Body = Uint8Array | ViewReply;

/** A request carries its id, so sending it twice is safe: that is what is under test, and what hides lost messages from the edge. */
export function simulatedPort(world: World, pump: Pump, partition: number): PartitionPort {
  const exchange = (input: RequestInput): Promise<Body> => {
    const answer = pump.wait<Body | null>((come) => ask(world, partition, input, come));
    return answer.then((body) => {
      if (body === null) throw new Error("network connection lost: no answer from the partition");
      return body;
    });
  };
  return {
    invoke: (frame) => exchange((ticket) => ({ kind: "invoke", ticket, frame })) as Promise<Uint8Array>,
    ingest: (frame) => exchange((ticket) => ({ kind: "ingest", ticket, frame })) as Promise<Uint8Array>,
    view: (query) => exchange((ticket) => ({ kind: "view", ticket, query })) as Promise<ViewReply>,
  };
}

/** Tells the answer that comes first, or null when none has come for long. */
function ask(world: World, partition: number, input: RequestInput, come: (body: Body | null) => void): void {
  const { scheduler, network } = world;
  const deadline = scheduler.now + REQUEST_MS;
  let done = false;
  const end = (body: Body | null): void => {
    done = true;
    come(body);
  };
  const send = (pause: number): void => {
    if (done) return;
    if (scheduler.now >= deadline) return end(null);
    network.carry(OUTSIDE, partition, () => {
      world.partitions[partition]?.routeAsk(input, (body) => network.carry(partition, OUTSIDE, () => end(body)));
    });
    scheduler.in(pause * RESEND_MS, () => send(Math.min(2 * pause, RESEND_LONGEST)));
  };
  send(1);
}
