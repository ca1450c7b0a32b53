/** One share of one vertex: runs its operator on what comes, and shows its entries to views. */
import type { LateRows, ShardOperator } from "../../dataflow/operators/operator.ts";
import type { ShardStore } from "../../dataflow/operators/store.ts";
import { GROUPS } from "../../dataflow/operators/windows.ts";
import { PART } from "../../dataflow/keys.ts";
import type { FlowProgram, VertexStep } from "../../dataflow/program.ts";
import { rendererOf, type Renderer } from "../../dataflow/views.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { LIMITS } from "../limits.ts";
import type { FlowContext } from "./internal.ts";
import { type Payload, toBound } from "./payload.ts";

/** What a batch tells a share beside its rows. */
export interface ShardHead {
  readonly flow: string;
  readonly vertex: number;
  readonly id: string;
  /** Null before the first event. */
  readonly before: number | null;
  readonly after: number | null;
}
export interface ShardResult {
  /** Null for never. */
  readonly next: number | null;
  readonly late: readonly LateRows[];
}

/** What a view asks of a share. */
export interface ReadHead {
  readonly flow: string;
  readonly view: number;
  readonly watermark: number | null;
  readonly limit: number;
  /** It may give fewer rows than the limit, where they are large. */
  readonly bounded: boolean;
  /** Behind this entry. */
  readonly after?: string;
  /** Only this key: as it is stored. */
  readonly key?: string;
}
export type ReadRow = readonly [key: string, row: string];
export interface ReadResult {
  readonly rows: readonly ReadRow[];
  /** There is more behind the last of them. */
  readonly more: boolean;
}

/** The value under a share's key. */
interface ShardState {
  /** Another one after every change: what is in memory counts only as long as this is the same. */
  readonly token: string;
}

interface Live {
  /** Null while a batch is under way: should it fail, nothing of this counts. */
  token: string | null;
  readonly id: string;
  readonly operator: ShardOperator;
}

export class Shards {
  readonly #programs: ReadonlyMap<string, FlowProgram>;
  /** Least recently used first. */
  readonly #live = new Map<string, Live>();
  readonly #renderers = new Map<string, Renderer>();

  constructor(programs: ReadonlyMap<string, FlowProgram>) {
    this.#programs = programs;
  }

  apply(ctx: FlowContext, { head, rows }: Payload): Payload {
    const { flow, vertex, id, before, after } = head as ShardHead;
    const step = this.#vertex(flow, vertex, id);
    const live = this.#liveOf(ctx, step);
    live.token = null;
    const input = { inputs: rows, before: before ?? -Infinity, after: after ?? -Infinity, now: ctx.now() };
    const output = live.operator.apply(input, ctx.store);
    const token = ctx.uuid();
    ctx.state = { token } satisfies ShardState;
    live.token = token;
    const result: ShardResult = { next: toBound(output.next), late: output.late };
    return { head: result, rows: output.rows.length === 0 ? [] : [output.rows] };
  }

  #vertex(flow: string, vertex: number, id: string): VertexStep {
    const step = this.#programs.get(flow)?.steps[vertex];
    // The caller may run another version of the code.
    if (step?.kind !== "vertex" || step.id !== id)
      throw new TidegateError(
        "overloaded",
        `flow "${flow}" is being changed: this partition has another version of it`,
      );
    return step;
  }

  #liveOf(ctx: FlowContext, step: VertexStep): Live {
    const token = (ctx.state as ShardState | undefined)?.token ?? "";
    const known = this.#live.get(ctx.key);
    this.#live.delete(ctx.key);
    const live = known?.token === token && known.id === step.id ? known : { token, id: step.id, operator: step.make() };
    this.#live.set(ctx.key, live);
    for (const [oldest] of this.#live) {
      if (this.#live.size <= LIMITS.maxLiveShards) break;
      this.#live.delete(oldest);
    }
    return live;
  }

  /** Entries of a view, in their order. */
  read(ctx: FlowContext, { head }: Payload): Payload {
    const { flow, view, watermark, limit, bounded, after, key } = head as ReadHead;
    const program = this.#programs.get(flow)?.views[view];
    if (program === undefined) throw new TidegateError("unknown-view", `flow "${flow}" has no such view`);
    const name = `${flow}/${view}`;
    const render = this.#renderers.get(name) ?? rendererOf(program);
    this.#renderers.set(name, render);
    const rows: ReadRow[] = [];
    let size = 0;
    let more = false;
    for (const [entry, text] of entries(ctx.store, program.content === "windows", after, key)) {
      const row = render(entry, text, watermark ?? -Infinity);
      if (row === null) continue;
      rows.push([entry, row]);
      size += row.length;
      more = rows.length >= limit || (size > LIMITS.maxViewChars && bounded === true);
      if (more) break;
    }
    return { head: { rows, more } satisfies ReadResult, rows: [] };
  }
}
/** Of windows an entry's key begins with the window: one key's entries are looked for window by window. */
function* entries(
  store: ShardStore,
  windows: boolean,
  after: string | undefined,
  key: string | undefined,
): Generator<[string, string]> {
  if (key !== undefined && !windows) {
    const text = store.get(GROUPS, key);
    if (text !== null && (after === undefined || key > after)) yield [key, text];
    return;
  }
  const begin = after === undefined ? {} : { from: `${after}\u0000` };
  let page = store.range(GROUPS, { ...begin, limit: PAGE });
  while (page.length > 0) {
    for (const [entry, text] of page) if (key === undefined || entry.endsWith(PART + key)) yield [entry, text];
    const last = page.at(-1)?.[0] as string;
    page = page.length < PAGE ? [] : store.range(GROUPS, { from: `${last}\u0000`, limit: PAGE });
  }
}
const PAGE = 500;
