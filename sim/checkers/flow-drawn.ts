/** A drawn flow in its versions: each view is what lists of rows come to, of the batches that each version has taken. */
import { DRAWN_STREAMS, drawnEvent } from "../flows/drawn/app.ts";
import type { Graph, StreamName } from "../flows/drawn/graph.ts";
import type { DrawnHistory } from "../flows/drawn/history.ts";
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
  const findings: Finding[] = [...taken.torn()];
  const last = versions.length - 1;
  for (const read of reads) {
    const shown = JSON.parse(read.body) as ViewBody;
    const moment = checkMoment(read, batches, shown.batches);
    findings.push(...moment);
    if (moment.length > 0) continue;
    const oracle = taken.behind(shown.batches);
    // What nobody has asked of an earlier version is as the last one has it.
    if (read.invoked === Infinity) oracle.become(last);
    const what = `${read.name}, of view ${read.view} of a drawn flow behind ${shown.batches} batches,`;
    const sum = (counts: readonly number[]) => counts.slice(0, shown.batches).reduce((total, one) => total + one, 0);
    const head = {
      events: sum(batches.map(({ events }) => events.length)),
      late: sum(taken.late),
      watermark: oracle.watermark(read.view),
    };
    const { events, late, watermark } = shown;
    findings.push(
      ...sameRows("wrong-view", `${what} above its rows`, [{ events, late, watermark }], [head]),
      ...sameRows("wrong-view", what, shown.rows, oracle.view(read.view)),
    );
    const stale = oracle.stale(read.view);
    if (stale.length > 0)
      findings.push(finding("wrong-view", `${what} shows ${JSON.stringify(stale)}, which are no results any more`));
  }
  return { findings, batches, late: taken.late };
}

/** The batches in their order, each with the version that took it. */
class Taken {
  readonly late: readonly number[];
  readonly #versions: readonly Graph[];
  readonly #batches: readonly SentBatch[];
  readonly #by: readonly number[];
  readonly #torn: Finding[] = [];

  /** @param logged by which version each event was taken */
  constructor(versions: readonly Graph[], batches: readonly SentBatch[], logged: readonly number[]) {
    this.#versions = versions;
    this.#batches = batches;
    let at = 0;
    this.#by = batches.map(({ name, events }) => {
      const own = new Set(logged.slice(at, (at += events.length)));
      if (own.size > 1) this.#torn.push(finding("wrong-output", `several versions of a drawn flow have taken ${name}`));
      return [...own][0] ?? 0;
    });
    this.late = this.behind(batches.length).late;
  }

  torn(): readonly Finding[] {
    return this.#torn;
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

  constructor(versions: readonly Graph[]) {
    this.#versions = versions;
    this.#oracle = new Oracle(versions[0] as Graph, RULES.outOfOrderness);
  }

  take({ stream, events }: SentBatch, version: number): void {
    this.become(version);
    this.#hasBegun = true;
    this.late.push(this.#oracle.take(DRAWN_STREAMS[stream] as StreamName, events.map(drawnEvent)));
  }

  become(version: number): void {
    if (version === this.#version) return;
    const graph = this.#versions[version] as Graph;
    this.#oracle.change(graph, this.#hasBegun ? [...this.#oracle.losses(graph)] : []);
    this.#version = version;
  }

  watermark(id: string): number | null {
    return this.#oracle.watermark(id);
  }
  view(id: string): readonly object[] {
    return this.#oracle.view(id);
  }
  stale(id: string): readonly object[] {
    return this.#oracle.stale(id);
  }
}
