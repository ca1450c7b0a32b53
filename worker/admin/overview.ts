/** `GET /admin/overview`: what a domain consists of and what it does now, as one JSON document. */
import type { AppDefinition } from "../../sdk/app.ts";
import type { Sink } from "../../sdk/flow.ts";
import { answerHeaders, JSON_TYPE } from "../headers.ts";
import { figuresOf, observedMap } from "../metrics/figures.ts";
import { refuse } from "../problems.ts";
import type { AdminEdge } from "./edge.ts";

export async function getOverview({ app, backend, request }: AdminEdge): Promise<Response> {
  if (backend.observed === undefined) throw refuse("not-found", "there are no figures here");
  const map = await observedMap(backend);
  const figures = await figuresOf(backend.observed, map.partitions);
  const body = {
    at: backend.now(),
    map: { version: map.version, partitions: map.partitions },
    app: shown(app),
    ...figures,
  };
  return new Response(JSON.stringify(body), { headers: answerHeaders(request, JSON_TYPE) });
}

type Written = "view" | "stream" | "service" | "queue" | "webhook";

function writtenBy(sink: Sink): { readonly kind: Written; readonly name: string } {
  if (sink.kind === "egress") return { kind: sink.to, name: sink.name };
  if (sink.kind === "view") return { kind: "view", name: sink.name };
  if (sink.kind === "stream") return { kind: "stream", name: sink.stream.name };
  return { kind: "service", name: sink.contract.name };
}

/** What the app consists of. */
export type ShownApp = ReturnType<typeof shown>;

function shown(app: AppDefinition) {
  return {
    services: [...app.services.values()].map(({ contract, version, collections }) => ({
      name: contract.name,
      version,
      collections,
      functions: Object.entries(contract.functions).map(([name, { kind }]) => ({ name, kind })),
    })),
    streams: [...app.streams.keys()],
    flows: [...app.flows.values()].map(({ name, streams, sinks }) => ({
      name,
      reads: streams.map((stream) => stream.name),
      writes: sinks.map(writtenBy),
    })),
    tenants: app.door.tenants,
  };
}
