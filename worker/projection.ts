/** Which columns of a stream's events go to its partition: those that the app's flows read, unless the partition has asked for more. */
import { fieldsRead } from "../dataflow/reads.ts";
import type { AppDefinition } from "../sdk/app.ts";
import { LIMITS } from "./limits.ts";

/**
 * What the flows of one app read, by stream. During a rollout the partition may run code whose flows read more than this edge knows of, or
 * code that takes whole events only: it fails such a batch with nothing done, is sent the whole of it, and from then on is sent nothing else.
 */
class Projections {
  readonly #app: AppDefinition;
  readonly #read = new Map<string, readonly string[] | undefined>();

  constructor(app: AppDefinition) {
    this.#app = app;
  }

  of(stream: string): readonly string[] | undefined {
    if (!this.#read.has(stream)) this.#read.set(stream, fieldsRead(this.#app, stream));
    return this.#read.get(stream);
  }

  giveUp(stream: string): void {
    this.#read.set(stream, undefined);
  }
}

const known = new WeakMap<AppDefinition, Projections>();

function projectionsOf(app: AppDefinition): Projections {
  let projections = known.get(app);
  if (projections === undefined) known.set(app, (projections = new Projections(app)));
  return projections;
}

/**
 * Names of the columns to send of a body of so many bytes; undefined for all. A long body always goes whole: it could not be sent a second
 * time, since its memory is given back.
 */
export function columnsToSend(app: AppDefinition, stream: string, bodyBytes: number): readonly string[] | undefined {
  return bodyBytes > LIMITS.projectedBodyBytes ? undefined : projectionsOf(app).of(stream);
}

/** The partition of the stream reads more than this edge knows of. */
export function sendAllColumns(app: AppDefinition, stream: string): void {
  projectionsOf(app).giveUp(stream);
}

/** Whether a text of several rows may have several codes. The window kernel of earlier code refuses that. */
export function textsMayRepeat({ windowed }: AppDefinition, stream: string): boolean {
  return ![...windowed.values()].some((flow) => flow.stream.name === stream);
}
