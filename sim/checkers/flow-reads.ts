/** What was read while everything went on: each answer shows one moment, in which a batch is everywhere or nowhere, and not one that is over. */
import type { CounterState, OutName } from "../flows/app.ts";
import { type FlowName, type ViewName, VIEWS } from "../flows/asks.ts";
import type { FlowRead, SentBatch } from "../flows/history.ts";
import type { EmitsModel } from "../flows/model/emits.ts";
import { canonical, type Outcome, type Row } from "../flows/model/events.ts";
import type { JoinsModel } from "../flows/model/joins.ts";
import type { KernelModel } from "../flows/model/kernel.ts";
import type { WindowsModel } from "../flows/model/windows.ts";
import type { Finding } from "./finding.ts";
import { type FinalReads, type PageBody, pageOf, sameRows, type ViewBody } from "./flow-results.ts";

export type FlowReadAnomaly = "view-of-the-past" | "view-of-the-future" | "view-torn" | "wrong-view" | "page-changed";

/** A flow's batches in their order, and what they come to. */
export interface Evaluated<M> {
  readonly batches: readonly SentBatch[];
  readonly model: M;
  readonly outcomes: readonly Outcome[];
  /** The model behind so many batches. */
  after(count: number): M;
}
export interface AllEvaluated {
  readonly windows: Evaluated<WindowsModel>;
  readonly joins: Evaluated<JoinsModel>;
  readonly emits: Evaluated<EmitsModel>;
  readonly kernel: Evaluated<KernelModel>;
}
interface AnyModel {
  readonly watermark: number;
  /** Whether what a view shows is there since the last batch or before; it is when this is absent. */
  hasBegun?(name: string): boolean;
  view(name: string): Row[];
}

/** Streams that show the order in which a flow has taken its events. */
const LOGS: Partial<Record<OutName, FlowName>> = {
  windowsLog: "windows",
  joinsLog: "joins",
  emitsLog: "emits",
  idleLog: "idle",
};

export function checkReads(
  reads: readonly FlowRead[],
  all: AllEvaluated,
  idle: readonly SentBatch[],
  final: FinalReads,
): Finding[] {
  return reads.flatMap((read): Finding[] => {
    const { ask, body } = read;
    switch (ask.kind) {
      case "view": {
        const flow = VIEWS[ask.view];
        const shown = JSON.parse(body) as ViewBody;
        if (flow === "idle") return checkMoment(read, idle, shown.batches);
        return checkView(read, ask.view, shown, all[flow] as unknown as Evaluated<AnyModel>);
      }
      case "kernel-view":
        return checkView(read, "kernel", JSON.parse(body) as ViewBody, all.kernel as unknown as Evaluated<AnyModel>);
      case "page":
        return checkPage(read, ask, pageOf(JSON.parse(body)), all, idle, final);
      case "counters":
        return checkCounters(read, JSON.parse(body) as Record<string, CounterState>, all.windows);
      case "aside":
        return [];
    }
  });
}

function checkView(
  read: FlowRead,
  view: ViewName | "kernel",
  body: ViewBody,
  evaluated: Evaluated<AnyModel>,
): Finding[] {
  const { batches, outcomes } = evaluated;
  const moment = checkMoment(read, batches, body.batches);
  if (moment.length > 0) return moment;
  const model = evaluated.after(body.batches);
  const what = `${read.name}, of view ${view} behind ${body.batches} of ${batches.length} batches,`;
  const sum = (counts: readonly number[]) => counts.slice(0, body.batches).reduce((total, count) => total + count, 0);
  const head = {
    watermark: Number.isFinite(model.watermark) && (model.hasBegun?.(view) ?? true) ? model.watermark : null,
    events: sum(batches.map(({ events }) => events.length)),
    late: sum(outcomes.map(({ late }) => late.length)),
  };
  const { watermark, events, late } = body;
  return [
    ...sameRows("wrong-view", `${what} above its rows`, [{ watermark, events, late }], [head]),
    ...sameRows("wrong-view", what, body.rows, model.view(view)),
  ];
}

/** Whether so many batches can be what was there then. */
export function checkMoment(
  { name, fresh, invoked, completed }: Pick<FlowRead, "name" | "fresh" | "invoked" | "completed">,
  batches: readonly SentBatch[],
  count: number,
): Finding<FlowReadAnomaly>[] {
  if (count > batches.length) {
    return [
      finding("view-of-the-future", `${name} shows ${count} batches, and there are only ${batches.length}`, name),
    ];
  }
  const early = batches.slice(0, count).find((batch) => batch.invoked > completed);
  if (early !== undefined) {
    return [finding("view-of-the-future", `${name} shows ${early.name}, which was sent later`, name)];
  }
  const past = batches.slice(count).find(({ taken, emitted }) => taken !== null && taken < invoked && !emitted);
  if (!fresh || past === undefined) return [];
  return [finding("view-of-the-past", `${name} does not show ${past.name}, which was acknowledged before`, name)];
}

/** Pages are parts of what the stream has at the end, up to the end of some batch. */
function checkPage(
  read: FlowRead,
  { out, after, limit }: Extract<FlowRead["ask"], { readonly kind: "page" }>,
  { first, events, end }: PageBody,
  all: AllEvaluated,
  idle: readonly SentBatch[],
  final: FinalReads,
): Finding[] {
  const { name } = read;
  const whole = final.stream(out).events;
  const should = whole.slice(first, first + Math.max(0, Math.min(limit, end - first)));
  if (end > whole.length || first !== after + 1 || should.map(canonical).join() !== events.map(canonical).join()) {
    const explanation = `${name} shows ${events.length} events of ${out} from ${first} on, of ${end}, which are not those`;
    return [finding("page-changed", explanation, name)];
  }
  const flow = LOGS[out];
  if (flow === undefined) return [];
  const batches = flow === "idle" ? idle : all[flow].batches;
  let count = 0;
  let length = 0;
  while (length < end) length += batches[count++]?.events.length ?? Infinity;
  if (length !== end) return [finding("view-torn", `${name} shows the end of ${out} within a batch`, name)];
  return checkMoment(read, batches, count);
}

/** All counters together are as they were behind some batch. */
function checkCounters(
  read: FlowRead,
  counters: Record<string, CounterState>,
  { batches, model }: Evaluated<WindowsModel>,
): Finding[] {
  const keys = Object.keys(counters);
  const at = (count: number, key: string) => (model.added.get(key) ?? []).filter(({ batch }) => batch < count);
  const counts = batches.map((_, count) => count).concat(batches.length);
  const fits = counts.filter((count) => keys.every((key) => at(count, key).length === counters[key]?.added.length));
  const [count] = fits;
  if (count === undefined) {
    const explanation = `${read.name} shows counters as no number of batches leaves them`;
    return [finding("view-torn", explanation, read.name)];
  }
  const wrong = keys.flatMap((key) =>
    sameRows(
      "wrong-view",
      `${read.name}, of counter ${key},`,
      counters[key]?.added ?? [],
      at(count, key).map(({ n }) => n),
    ),
  );
  if (wrong.length > 0) return wrong;
  // Several moments look alike where batches call nothing: one of them must be possible.
  const moments = fits.map((each) => checkMoment(read, batches, each));
  return moments.find((found) => found.length === 0) ?? moments[0] ?? [];
}

function finding(
  anomaly: FlowReadAnomaly,
  explanation: string,
  ...operations: readonly string[]
): Finding<FlowReadAnomaly> {
  return { anomaly, explanation, operations };
}
