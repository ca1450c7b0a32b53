/** From what clients were shown of the drawn flow to what its checker judges. */
import type { Ledger } from "../../clients/ledger.ts";
import { nameOfRead } from "../draw.ts";
import type { SentBatch } from "../history.ts";
import { DRAWN_STREAMS, type Versions } from "./app.ts";
import type { DrawnAsk } from "./asks.ts";

export interface DrawnRead {
  readonly name: string;
  readonly view: string;
  readonly fresh: boolean;
  readonly invoked: number;
  readonly completed: number;
  readonly body: string;
}

export interface DrawnHistory {
  readonly versions: Versions;
  readonly sent: readonly SentBatch[];
  /** Of its log at the end. */
  readonly log: string;
  /** Those of the last version behind those that clients did meanwhile. */
  readonly reads: readonly DrawnRead[];
}

export function drawnHistoryOf(
  ledger: Ledger,
  versions: Versions,
  sent: readonly SentBatch[],
  final: ReadonlyMap<string, string>,
  isFinal: (number: number) => boolean,
): DrawnHistory {
  const reads: DrawnRead[] = [];
  for (const { request, answer, invoked, completed } of ledger.entries.values()) {
    const { ask, number, snapshot } = request.transaction;
    if (ask.kind !== "drawn-view" || answer?.status !== 200 || completed === null || isFinal(number)) continue;
    reads.push({ name: `T${number}`, view: ask.view, fresh: !snapshot, invoked, completed, body: answer.body });
  }
  for (const { id: view } of versions.at(-1)?.views ?? []) {
    const body = finalRead(final, { kind: "drawn-view", view });
    const moment = { fresh: true, invoked: Infinity, completed: Infinity };
    reads.push({ name: `the last read of ${view}`, view, ...moment, body });
  }
  return {
    versions,
    sent: sent.filter(({ stream }) => stream in DRAWN_STREAMS),
    log: finalRead(final, { kind: "drawn-log" }),
    reads,
  };
}

function finalRead(final: ReadonlyMap<string, string>, ask: DrawnAsk): string {
  const name = nameOfRead(ask);
  const body = final.get(name);
  if (body === undefined) throw new Error(`nobody has read ${name}`);
  return body;
}
