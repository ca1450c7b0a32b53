/** A drawn flow in its versions: each view is what lists of rows come to, of the batches that each version has taken. */
import { DRAWN_STREAMS, drawnEvent } from "../flows/drawn/app.ts";
import type { Graph, StreamName } from "../flows/drawn/graph.ts";
import type { DrawnHistory, DrawnRead } from "../flows/drawn/history.ts";
import { Oracle } from "../flows/drawn/oracle.ts";
import { RULES } from "../flows/app.ts";
import type { SentBatch } from "../flows/history.ts";
import { numberOf, versionOf } from "../flows/versions.ts";
import type { Finding } from "./finding.ts";
import { orderOfEvents } from "./flow-order.ts";
import { checkMoment } from "./flow-reads.ts";
import { finding, pageOf, sameRows, type ViewBody } from "./flow-results.ts";

export interface DrawnVerdict {
  readonly findings: readonly Finding[];
  /** In the order in which the flow has taken them; none where that is wrong. */
  readonly batches: readonly SentBatch[];
  /** How many rows of each came too late. */
  readonly late: readonly number[];
}

export function checkDrawn({ versions, sent, log, reads }: DrawnHistory): DrawnVerdict {
  const numbers = pageOf(JSON.parse(log)).events.map(({ n }) => Number(n));
  const { batches, findings: order } = orderOfEvents("drawn", sent, numbers.map(numberOf));
  if (order.length > 0) return { findings: order, batches: [], late: [] };
  const taken = new Taken(versions, batches, numbers.map(versionOf));
  const findings: Finding[] = [...taken.torn];
  for (const read of reads) {
    const shown = JSON.parse(read.body) as ViewBody;
    const moment = checkMoment(read, batches, shown.batches);
    findings.push(...(moment.length > 0 ? moment : checkRead(read, shown, taken, versions.length - 1)));
  }
  return { findings, batches, late: taken.late };
}

/** @param last version of the flow */
function checkRead({ name, view, invoked }: DrawnRead, shown: ViewBody, taken: Taken, last: number): Finding[] {
  const { events, late, watermark, batches, rows } = shown;
  const flow = taken.behind(batches);
  // The last version may have taken nothing yet. What it will lose with another operator it shows until then.
  if (invoked === Infinity) flow.show(last);
  const what = `${name}, of view ${view} of a drawn flow behind ${batches} batches,`;
  const sum = (counts: readonly number[]) => counts.slice(0, batches).reduce((total, one) => total + one, 0);
  const head = { events: sum(taken.events), late: sum(taken.late), watermark: flow.watermark(view) };
  const stale = flow.stale(view);
  const told = `${what} shows ${JSON.stringify(stale)}, which are no results any more`;
  return [
    ...sameRows("wrong-view", `${what} above its rows`, [{ events, late, watermark }], [head]),
    ...sameRows("wrong-view", what, rows, flow.view(view)),
    ...(stale.length === 0 ? [] : [finding("wrong-view", told)]),
  ];
}

/** The batches in their order, each with the version that took it. */
class Taken {
  readonly late: readonly number[];
  readonly #versions: readonly Graph[];
  readonly #batches: readonly SentBatch[];
  readonly #by: readonly number[];
  /** Of batches that several versions have taken. */
  readonly torn: Finding[] = [];

  /** @param logged by which version each event was taken */
  constructor(versions: readonly Graph[], batches: readonly SentBatch[], logged: readonly number[]) {
    this.#versions = versions;
    this.#batches = batches;
    let at = 0;
    this.#by = batches.map(({ name, events }) => {
      const own = new Set(logged.slice(at, (at += events.length)));
      if (own.size > 1) this.torn.push(finding("wrong-output", `several versions of a drawn flow have taken ${name}`));
      return [...own][0] ?? 0;
    });
    this.late = this.behind(batches.length).late;
  }

  /** Of each batch. */
  get events(): readonly number[] {
    return this.#batches.map(({ events }) => events.length);
  }

  /** The flow behind so many batches. */
  behind(count: number): Evaluated {
    const evaluated = new Evaluated(this.#versions);
    for (const [at, batch] of this.#batches.slice(0, count).entries()) evaluated.take(batch, this.#by[at] as number);
    return evaluated;
  }
}

class Evaluated {
  readonly late: number[] = [];
  readonly #versions: readonly Graph[];
  readonly #oracle: Oracle;
  #version = 0;
  #hasBegun = false;
  #isBetween = false;

  constructor(versions: readonly Graph[]) {
    this.#versions = versions;
    this.#oracle = new Oracle(versions[0] as Graph, RULES.outOfOrderness);
  }

  take({ stream, events }: SentBatch, version: number): void {
    this.#become(version, (graph) => this.#oracle.losses(graph));
    this.#hasBegun = true;
    this.late.push(this.#oracle.take(DRAWN_STREAMS[stream] as StreamName, events.map(drawnEvent)));
  }

  /** Another version is asked for views, and takes nothing. Behind that there is nothing but these. */
  show(version: number): void {
    this.#isBetween = version !== this.#version;
    this.#become(version, (graph) => this.#oracle.replaced(graph));
  }

  #become(version: number, drops: (graph: Graph) => ReadonlySet<string>): void {
    if (version === this.#version) return;
    const graph = this.#versions[version] as Graph;
    this.#oracle.change(graph, this.#hasBegun ? [...drops(graph)] : []);
    this.#version = version;
  }

  watermark(id: string): number | null {
    return this.#oracle.watermark(id);
  }
  view(id: string): readonly object[] {
    return this.#oracle.view(id);
  }
  stale(id: string): readonly object[] {
    // What a view keeps of an operator that has begun anew goes with the next batch.
    return this.#isBetween ? [] : this.#oracle.stale(id);
  }
}
