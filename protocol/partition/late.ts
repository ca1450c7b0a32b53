/**
 * Late events of flows that the window kernel runs. The kernel counts them; which they are is looked at before it takes a batch, and they are kept
 * under the flow's own key, as those of flows of operators are (flows/log.ts).
 */
import type { Kernels } from "../../core-wasm/types.ts";
import { type BigColumn, type Column, doubles, type NumberColumn } from "../../dataflow/columns/column.ts";
import { compileTest } from "../../dataflow/columns/expressions.ts";
import { within } from "../../dataflow/columns/frame.ts";
import { rowLines } from "../../dataflow/columns/lines.ts";
import { chosen } from "../../dataflow/columns/chosen.ts";
import type { ShardStore } from "../../dataflow/operators/store.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { nodesOf, type WindowedFlow } from "../../sdk/flow.ts";
import { Frames } from "../flows/frames.ts";
import { flowService } from "../flows/internal.ts";
import { LIMITS } from "../limits.ts";
import { keepLog, LATE, lateLine } from "../flows/log.ts";
import { afterPrefix, collectionPrefix, decodeEntryKey, encodeEntryKey, entityKey } from "../state/state-key.ts";
import type { StateStore, Write } from "../state/store.ts";

/** What of a batch comes too late for a flow. */
export interface LateLines {
  readonly flow: WindowedFlow;
  /** So many came too late before. */
  readonly begin: number;
  readonly lines: readonly string[];
}

interface LateSpec {
  readonly flow: WindowedFlow;
  /** Of the aggregate, by which late events are named. */
  readonly operator: string;
  readonly filters: ReadonlyArray<ReturnType<typeof compileTest>>;
}

export class LateEvents {
  readonly #app: AppDefinition;
  readonly #frames: Frames;
  readonly #specs = new Map<string, LateSpec>();

  constructor(app: AppDefinition, kernels: Kernels) {
    this.#app = app;
    this.#frames = new Frames(kernels);
  }

  /** Bytes of the longest text that events could be grouped by; 0 where they are by a number. @throws CorruptError */
  longestKey({ stream, key }: WindowedFlow, frame: Uint8Array): number {
    if (stream.fields[key]?.kind !== "text") return 0;
    const column = this.#frames.read(stream, frame).column(key);
    return column.type === "text" ? column.texts.longest : 0;
  }

  /** Whether an event that is not late is grouped by a text that no entry of an operator could have as its key. @throws CorruptError */
  hasLongKey(flow: WindowedFlow, frame: Uint8Array, watermark: bigint): boolean {
    const { stream, key, time, window } = flow;
    let rows = this.#frames.read(stream, frame);
    for (const test of this.#specOf(flow).filters) rows = rows.pick(chosen(test([rows], rows.length)));
    const behind = behindOf(timesOf(rows.column(time)), window.size, Number(watermark));
    const long = longTexts(rows.column(key));
    return long.some((is, row) => is === 1 && behind[row] === 0);
  }

  /** Events of a batch whose window has ended, as lines of JSON. @param watermark before the batch. @throws CorruptError */
  linesOf(flow: WindowedFlow, frame: Uint8Array, watermark: bigint, now: number): string[] {
    const { operator, filters } = this.#specOf(flow);
    const { stream, time, window } = flow;
    let rows = this.#frames.read(stream, frame);
    const behind = behindOf(timesOf(rows.column(time)), window.size, Number(watermark));
    // So it is with most batches, of which nothing but the times has been read.
    if (!behind.includes(1)) return [];
    rows = rows.pick(chosen(behind));
    for (const test of filters) rows = rows.pick(chosen(test([rows], rows.length)));
    const times = timesOf(rows.column(time));
    return rowLines(rows, rows.names).map((event, row) => lateLine(now, operator, 0, times[row] as number, event));
  }

  #specOf(flow: WindowedFlow): LateSpec {
    const known = this.#specs.get(flow.name);
    if (known !== undefined) return known;
    const definition = this.#app.flows.get(flow.name);
    const nodes = definition === undefined ? [] : nodesOf(definition);
    const filters = nodes.flatMap(({ operator }) => (operator.kind === "filter" ? [compileTest(operator.test)] : []));
    const aggregate = nodes.find(({ operator }) => operator.kind === "aggregate");
    const spec = { flow, operator: aggregate?.name ?? "aggregate", filters };
    this.#specs.set(flow.name, spec);
    return spec;
  }
}

/** 1 for rows whose text is too long for a key of an entry. */
function longTexts(column: Column): Uint8Array {
  if (column.type !== "text") return new Uint8Array();
  const { codes, texts } = column;
  const long = texts.longerThan(LIMITS.maxEntryKeyBytes);
  return long.includes(1) ? Uint8Array.from(codes, (code) => long[code] as number) : new Uint8Array();
}

/** The times that events count for, by which the kernel judges them too. */
function timesOf(column: Column): Float64Array {
  return within(doubles(column as NumberColumn | BigColumn));
}

/** 1 for rows whose window has ended. */
function behindOf(times: Float64Array, size: number, watermark: number): Uint8Array {
  return Uint8Array.from(times, (at) => (at - (((at % size) + size) % size) + size <= watermark ? 1 : 0));
}

/** What is to be committed so that late events can be read. */
export function writesOfLate(committed: StateStore, { flow, begin, lines }: LateLines, now: number): Write[] {
  const entity = entityKey(flowService(flow.name), flow.stream.name);
  const store = new Entries(committed, entity);
  keepLog(store, LATE, begin, now, lines);
  return store.writes;
}

/** Committed entries under a key, and what is to be written there. */
class Entries implements ShardStore {
  readonly writes: Write[] = [];
  readonly #committed: StateStore;
  readonly #entity: string;

  constructor(committed: StateStore, entity: string) {
    this.#committed = committed;
    this.#entity = entity;
  }

  get(collection: string, key: string): string | null {
    return this.#committed.get(this.#prefix(collection) + encodeEntryKey(key), this.#entity);
  }

  put(collection: string, key: string, text: string | null): void {
    const at = this.#prefix(collection) + encodeEntryKey(key);
    this.writes.push(text === null ? { op: "delete", key: at, text: "" } : { op: "put", key: at, text });
  }

  drop(collection: string, key: string): void {
    this.put(collection, key, null);
  }

  range(collection: string, { from, to, limit, reverse = false }: Parameters<ShardStore["range"]>[1]) {
    const prefix = this.#prefix(collection);
    const [first, end] = [from, to].map((key) => (key === undefined ? undefined : prefix + encodeEntryKey(key)));
    return this.#committed
      .range(prefix, this.#entity, first ?? prefix, end ?? afterPrefix(prefix), limit, reverse)
      .map(([key, text]): [string, string] => [String(decodeEntryKey(key.slice(prefix.length))), text]);
  }

  #prefix(collection: string): string {
    return collectionPrefix(this.#entity, collection);
  }
}
