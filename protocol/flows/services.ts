/** The internal services of an app's flows, as one partition runs them. */
import type { Kernels } from "../../core-wasm/types.ts";
import { type FlowProgram, programOf } from "../../dataflow/program.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { LIMITS } from "../limits.ts";
import { PRODUCERS } from "../partition/producers.ts";
import { again, feed, setUndeliveredAside } from "./driver.ts";
import { Egress } from "./egress.ts";
import {
  EGRESS,
  type FlowContext,
  flowService,
  type InternalHandler,
  type InternalService,
  internalService,
  SHARD,
  SHARES,
  STREAM,
  TICK,
  VIEW,
} from "./internal.ts";
import { type Payload, RawJson } from "./payload.ts";
import { redrive, REDRIVE, remove, REMOVE } from "./letters.ts";
import { atPlace, placeHandlers } from "./place.ts";
import { Shards } from "./shard.ts";
import { applyShares } from "./shares.ts";
import { Streams } from "./stream.ts";
import { Views } from "./view.ts";

/** Flows that are not the window kernel's. */
export function programsOf(app: AppDefinition, kernels?: Kernels): ReadonlyMap<string, FlowProgram> {
  const general = [...app.flows.values()].filter(({ name }) => !app.windowed.has(name));
  return new Map(general.map((flow) => [flow.name, programOf(flow, kernels)]));
}

function clear(ctx: FlowContext): Payload {
  ctx.clear();
  return { head: null, rows: [] };
}

/** Made for each partition: what they keep in memory is that of its keys. */
export function flowServices(app: AppDefinition, kernels: Kernels): InternalService[] {
  const programs = programsOf(app, kernels);
  const streams = new Streams(app, kernels, programs.values());
  const shards = new Shards(programs);
  const views = new Views(app, programs);
  const egress = new Egress(programs);
  const services = [
    internalService(
      STREAM,
      {
        take: (ctx, input) => streams.take(ctx, input),
        emitted: (ctx, input) => streams.emitted(ctx, input),
        queued: (ctx, input) => streams.queued(ctx, input),
        append: (ctx, input) => streams.append(ctx, input),
        read: (ctx, input) => streams.read(ctx, input),
      },
      ["read"],
    ),
    internalService(PRODUCERS.service, { turn: (ctx, input) => streams.turn(ctx, input) }, []),
    internalService(
      SHARD,
      {
        apply: (ctx, input) => shards.apply(ctx, input),
        clear,
        read: (ctx, input) => shards.read(ctx, input),
      },
      ["read"],
    ),
    internalService(SHARES, { apply: applyShares }, []),
    internalService(
      EGRESS,
      {
        push: (ctx, input) => egress.push(ctx, input),
        again: (ctx, input) => egress.again(ctx, input),
        ended: (ctx, input) => egress.ended(ctx, input),
        status: (ctx) => egress.status(ctx),
        clear: (ctx) => egress.clear(ctx),
      },
      ["status"],
      // Should it not hear of a delivery's end, an end of a flow would stand still for ever.
      Infinity,
    ),
    internalService(
      VIEW,
      {
        view: (ctx, input) => views.view(ctx, input),
        aside: (ctx, input) => views.aside(ctx, input),
        flow: (ctx, input) => views.flow(ctx, input),
        [REDRIVE]: (ctx, input) => views.letter(ctx, REDRIVE, input),
        [REMOVE]: (ctx, input) => views.letter(ctx, REMOVE, input),
      },
      ["view", "aside", "flow"],
    ),
  ];
  for (const program of programs.values()) services.push(ownService(program, views));
  // The window kernel runs these; what is read here are their late events.
  for (const flow of app.windowed.keys())
    services.push(
      internalService(flowService(flow), { aside: (ctx, input) => views.asideHere(ctx, input) }, ["aside"]),
    );
  return services.map((service) => (service.contract.name === STREAM ? { ...service, streams: app.streams } : service));
}

/** Of a flow's own key. */
function ownService(program: FlowProgram, views: Views): InternalService {
  const { name } = program;
  const handlers: Record<string, InternalHandler> = {
    feed: atPlace(program, "feed", (ctx, input) => feed(ctx, program, input), true),
    [TICK]: async (ctx) => {
      const tooLarge = ctx.tooLarge(LIMITS.maxTooLarge);
      await feed(ctx, program, { head: { stream: null, ...again(tooLarge) }, rows: [] });
      return new RawJson("null");
    },
    status: atPlace(program, "status", (ctx) => views.status(ctx, name)),
    setAside: atPlace(program, "setAside", (ctx, input) => setUndeliveredAside(ctx, input)),
    [REDRIVE]: atPlace(program, REDRIVE, (ctx, input) => redrive(ctx, program, input)),
    [REMOVE]: atPlace(program, REMOVE, (ctx, input) => remove(ctx, input)),
    aside: atPlace(program, "aside", (ctx, input) => views.asideHere(ctx, input)),
    ...placeHandlers,
  };
  // Should a tick be given up, nobody would go on with what is behind, and batches would be refused for it.
  return internalService(flowService(name), handlers, ["status", "aside", "place"], Infinity);
}
