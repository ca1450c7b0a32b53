/** One share of one vertex: runs its operator on what comes, and shows its entries to views. */
import type { LateRows, ShardOperator } from "../../dataflow/operators/operator.ts";
import { entriesFrom, type ShardStore } from "../../dataflow/operators/store.ts";
import { GROUPS } from "../../dataflow/operators/windows.ts";
import { AFTER_PARTS, PART } from "../../dataflow/keys.ts";
import type { FlowProgram, VertexStep, ViewProgram } from "../../dataflow/program.ts";
import { rendererOf, type Renderer } from "../../dataflow/views.ts";
import { comeAgain, TidegateError } from "../../sdk/errors.ts";
import { LIMITS } from "../limits.ts";
import type { FlowContext } from "./internal.ts";
import { compareKeys } from "../state/state-key.ts";
import { type Payload, toBound } from "./payload.ts";
import { ShareTable, type TableState } from "./table/table.ts";

/** What a batch tells a share beside its rows. */
export interface ShardHead {
  readonly flow: string;
  readonly vertex: number;
  readonly id: string;
  /** Null before the first event. */
  readonly before: number | null;
  readonly after: number | null;
  /** Its results are read from this batch on, or have to end without events. */
  readonly begins?: boolean;
  /** A part of a batch, behind which others come. */
  readonly more?: boolean;
}
export interface ShardResult {
  /** Null for never. */
  readonly next: number | null;
  readonly late: readonly LateRows[];
}

/** What a view asks of a share. */
export interface ReadHead {
  readonly flow: string;
  /** Its number among the views of the version that asks: for code that knows no names. */
  readonly view: number;
  /** The view, and the vertex that it shows; absent where an older version asks. */
  readonly name?: string;
  readonly id?: string;
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
  /** Absent where an older version wrote it. */
  readonly table?: TableState;
}

interface Live {
  /** Null while a batch is under way: should it fail, this counts only as it was before. */
  token: string | null;
  /** That before the last batch. */
  before: string | null;
  readonly table: ShareTable;
  /** Null before the first batch. */
  operator: ShardOperator | null;
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
    const { flow, vertex, id, before, after, begins = false, more = false } = head as ShardHead;
    const step = this.#vertex(flow, vertex, id);
    const live = this.#liveOf(ctx);
    const operator = (live.operator ??= step.make());
    live.before = live.token;
    live.token = null;
    live.table.use(ctx.store, this.#roomFor(live));
    live.table.begin(LIMITS.undoUnits);
    const input = {
      inputs: rows,
      before: before ?? -Infinity,
      after: after ?? -Infinity,
      now: ctx.now(),
      begins,
      more,
    };
    const output = operator.apply(input, live.table);
    const token = ctx.uuid();
    ctx.state = { token, table: live.table.keep() } satisfies ShardState;
    live.token = token;
    const result: ShardResult = { next: toBound(output.next), late: output.late };
    return { head: result, rows: output.rows.length === 0 ? [] : [output.rows] };
  }

  #vertex(flow: string, vertex: number, id: string): VertexStep {
    const step = this.#programs.get(flow)?.steps[vertex];
    // The caller may run another version of the code.
    if (step?.kind !== "vertex" || step.id !== id) throw otherVersion(flow);
    return step;
  }

  /** The caller may run another version of the code: there the view may stand elsewhere, or show what another vertex keeps. */
  #view({ flow, view, name, id }: ReadHead): ViewProgram {
    const { views = [], steps = [] } = this.#programs.get(flow) ?? {};
    const found = name === undefined ? views[view] : views.find(({ sink }) => sink.name === name);
    const step = found && steps[found.vertex];
    if (name !== undefined && (step?.kind !== "vertex" || step.id !== id)) throw otherVersion(flow);
    if (found === undefined) throw new TidegateError("unknown-view", `flow "${flow}" has no such view`);
    return found;
  }

  /** What is in memory of a share, where that is what is stored now, or was and can be again. */
  #liveOf(ctx: FlowContext): Live {
    const token = tokenOf(ctx);
    const known = this.#live.get(ctx.key);
    this.#live.delete(ctx.key);
    const live = (known && current(known, token)) ?? { token, before: null, table: tableOf(ctx), operator: null };
    this.#live.set(ctx.key, live);
    this.#evict();
    return live;
  }

  /** What the entries of a share may take of memory: what others leave, and an equal part at least. */
  #roomFor(live: Live): number {
    let others = -live.table.cost;
    for (const { table } of this.#live.values()) others += table.cost;
    return Math.max(LIMITS.operatorUnits / this.#live.size, LIMITS.operatorUnits - others);
  }

  /** All that is in memory is stored too. */
  #evict(): void {
    let cost = 0;
    for (const { table } of this.#live.values()) cost += table.cost;
    for (const [oldest, { table }] of this.#live) {
      const isMuch = this.#live.size > LIMITS.maxLiveShards || cost > 2 * LIMITS.operatorUnits;
      if (!isMuch || this.#live.size === 1) break;
      this.#live.delete(oldest);
      cost -= table.cost;
    }
  }

  /** Lets something look at the entries as this transaction sees them; a snapshot may be of an earlier time than what is in memory. */
  #look<T>(ctx: FlowContext, look: (table: ShareTable) => T): T {
    const known = this.#live.get(ctx.key);
    const token = tokenOf(ctx);
    if (known?.token === token) {
      known.table.use(ctx.store);
      return look(known.table);
    }
    // While the last batch is not decided, views are as of before it.
    if (known !== undefined && known.token !== null && known.before === token && known.table.knowsBefore) {
      const { table } = known;
      table.use(ctx.store);
      return table.before(() => look(table));
    }
    const table = tableOf(ctx);
    if (known === undefined) {
      this.#live.set(ctx.key, { token, before: null, table, operator: null });
      this.#evict();
    }
    return look(table);
  }

  /** Entries of a view, in their order. */
  read(ctx: FlowContext, { head }: Payload): Payload {
    const { flow, watermark, limit, bounded, after, key } = head as ReadHead;
    const program = this.#view(head as ReadHead);
    const name = `${flow}/${program.sink.name}`;
    const render = this.#renderers.get(name) ?? rendererOf(program);
    this.#renderers.set(name, render);
    const rows: ReadRow[] = [];
    let size = 0;
    let more = false;
    this.#look(ctx, (table) => {
      for (const [entry, text] of entries(table, program.content === "windows", after, key)) {
        const row = render(entry, text, watermark ?? -Infinity);
        if (row === null) continue;
        rows.push([entry, row]);
        size += row.length;
        more = rows.length >= limit || (size > LIMITS.maxViewChars && bounded === true);
        if (more) break;
      }
    });
    return { head: { rows, more } satisfies ReadResult, rows: [] };
  }
}

function otherVersion(flow: string): TidegateError {
  return comeAgain(`flow "${flow}" is being changed: this partition has another version of it`);
}

/** The last batch may have been undone. What the operator had beside its entries went further; the next one begins from them. */
function current(live: Live, token: string): Live | undefined {
  if (live.token === token) return live;
  if (live.before !== token || !live.table.undo()) return undefined;
  return { token, before: null, table: live.table, operator: null };
}

/** Empty before anything was stored. */
function tokenOf(ctx: FlowContext): string {
  return (ctx.state as ShardState | undefined)?.token ?? "";
}

function tableOf(ctx: FlowContext): ShareTable {
  const state = ctx.state as ShardState | undefined;
  return new ShareTable(ctx.store, state === undefined ? undefined : (state.table ?? null));
}

/** Of windows an entry's key begins with the window. */
function entries(
  store: ShardStore,
  windows: boolean,
  after: string | undefined,
  key: string | undefined,
): Iterable<[string, string]> {
  const from = after === undefined ? "" : `${after}\u0000`;
  if (key === undefined) return entriesFrom(store, GROUPS, from, undefined);
  if (windows) return entriesOfKey(store, from, key);
  const text = store.get(GROUPS, key);
  return text !== null && (after === undefined || key > after) ? [[key, text]] : [];
}

/** One key's entries, window by window: where a page ends within a window, the next one begins where the key is in that, or behind it. */
function* entriesOfKey(store: ShardStore, from: string, key: string): Generator<[string, string]> {
  for (;;) {
    const page = store.range(GROUPS, { from, limit: KEY_PAGE });
    for (const [entry, text] of page) if (entry.endsWith(PART + key)) yield [entry, text];
    const last = page.at(-1)?.[0];
    if (last === undefined || page.length < KEY_PAGE) return;
    const window = last.slice(0, last.indexOf(PART));
    const entry = window + PART + key;
    from = compareKeys(entry, last) > 0 ? entry : window + AFTER_PARTS;
  }
}
/** Few: windows may have many keys or few. */
const KEY_PAGE = 64;
