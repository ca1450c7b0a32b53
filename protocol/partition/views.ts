/** Answers of materialised views: closed windows from storage, then the open ones, in the order (window, key). */
import { CorruptError, type Kernels, type PackedGroups, type WindowGroup } from "../../core-wasm/types.ts";
import { renderRow } from "../../dataflow/view.ts";
import { INITIAL_WATERMARK } from "../../dataflow/watermark.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { comeAgain, TidegateError } from "../../sdk/errors.ts";
import type { FlowDefinition } from "../../sdk/flow.ts";
import { kernelDrops, requireNamed } from "./kernel-flows.ts";
import type { StateStore } from "../state/store.ts";
import { otherKind } from "../flows/view.ts";
import type { FlowRuntime } from "../flows/flow-runtime.ts";
import { LIMITS } from "../limits.ts";
import type { StateReader } from "../state/reader.ts";
import type { Ownership } from "../moves/ownership.ts";
import { reportDamage } from "../state/blocks/damage.ts";
import type { Effect, ViewReply, ViewRequest } from "./effects.ts";
import type { Flows } from "./flows.ts";
import { problemAnswer } from "./problems.ts";

interface ViewSetup {
  readonly app: AppDefinition;
  readonly kernels: Kernels;
  readonly reader: StateReader;
}

/** A cursor names the last row shown: `start/key` with the key as JSON, base64 left to nobody. */
function cursorOf(group: Cursor): string {
  return `${group.start}/${typeof group.key === "bigint" ? group.key : JSON.stringify(group.key)}`;
}

interface Cursor {
  readonly start: bigint;
  readonly key: bigint | string;
}

function parseCursor(text: string): Cursor | null {
  const match = /^(-?\d{1,19})\/(.+)$/s.exec(text);
  if (!match) return null;
  const [, start, key] = match as unknown as [string, string, string];
  try {
    return { start: BigInt(start), key: key.startsWith('"') ? (JSON.parse(key) as string) : BigInt(key) };
  } catch {
    return null;
  }
}

export interface AskedView {
  readonly ticket: number;
  readonly query: ViewRequest;
}
interface ViewParts {
  readonly flows: Flows;
  readonly ownership: Ownership;
  readonly layers: { readonly committed: StateStore };
}

export function answerViews(
  setup: ViewSetup,
  parts: ViewParts,
  asked: readonly AskedView[],
  owner: { emit(effect: Effect): void },
): Array<{ readonly ticket: number; readonly body: Omit<ViewReply, "epoch"> }> {
  return asked.map(({ ticket, query }) => ({ ticket, body: answerView(setup, parts, query, owner) }));
}

/** What is damaged fails the requests that need it, and nothing else. */
function answerView(
  setup: ViewSetup,
  parts: ViewParts,
  query: ViewRequest,
  owner: { emit(effect: Effect): void },
): Omit<ViewReply, "epoch"> {
  try {
    return answerOf(setup, parts, query);
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    owner.emit(reportDamage(error));
    return problemAnswer("damaged-data", "what is stored there is damaged");
  }
}

function answerOf(
  setup: ViewSetup,
  { flows, ownership, layers }: ViewParts,
  query: ViewRequest,
): Omit<ViewReply, "epoch"> {
  const view = setup.app.views.get(query.view);
  if (!view) return problemAnswer("unknown-view", `there is no view "${query.view}"`);
  const definition = view.windowed;
  if (definition === null) {
    const { type, message, members } = comeAgain(otherKind(view.flow.name));
    return problemAnswer(type, message, members);
  }
  if (!ownership.isHere(definition.stream.name)) return { status: 503, body: "", staleMap: true };
  const after = query.after === undefined ? undefined : parseCursor(query.after);
  if (after === null) return problemAnswer("invalid-input", "`cursor` is not a cursor that this view gave");
  const runtime = flows.runtime(definition.name) as FlowRuntime;
  const flow = setup.app.flows.get(definition.name);
  const lost = flow === undefined ? [] : kernelDrops(flow, runtime, layers.committed);
  if (flow !== undefined && lost.length > 0) return changedView(flow, runtime, lost);
  // Who asks how far the flow has come needs no groups; older code asks for one row.
  if (query.limit === 0) return { status: 200, body: viewBody(runtime, [], undefined) };
  const limit = Math.max(1, Math.min(query.limit, LIMITS.maxViewRows));
  const rows: string[] = [];
  let last: WindowGroup | undefined;
  let size = 0;
  for (const { group, final } of groupsOf(setup, flows, runtime, { key: query.key, after })) {
    // Where it was enough for one answer, the next begins behind what was looked at, whether or not a row is shown of that.
    if (final === undefined) return { status: 200, body: viewBody(runtime, rows, cursorOf(group)) };
    if (rows.length === limit || size > LIMITS.maxViewChars)
      return { status: 200, body: viewBody(runtime, rows, cursorOf(last as WindowGroup)) };
    const row = renderRow(runtime.plan, group, final);
    size += row.length;
    rows.push(row);
    last = group;
  }
  return { status: 200, body: viewBody(runtime, rows, undefined) };
}

/** Of a flow that was changed: its state is of another definition. Where that may be dropped there is nothing to show. */
function changedView(flow: FlowDefinition, runtime: FlowRuntime, drops: readonly string[]): Omit<ViewReply, "epoch"> {
  try {
    requireNamed(flow, drops);
    return { status: 200, body: viewBody(runtime, [], undefined) };
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    const { watermark, events, late, batches } = runtime.status;
    return problemAnswer(error.type, error.message, { drops, events, late, batches, watermark: Number(watermark) });
  }
}

interface Wanted {
  readonly key: string | undefined;
  readonly after: Cursor | undefined;
}
/** A group; without `final` only where in the order nothing was found up to, and no more is read for this answer. */
type Found =
  | { readonly group: WindowGroup; readonly final: boolean }
  | { readonly group: Cursor; readonly final?: never };

/** Windows close in the order of their ends, all their groups together: blocks come before open groups, and in order. */
function* groupsOf(setup: ViewSetup, flows: Flows, runtime: FlowRuntime, wanted: Wanted): Generator<Found> {
  const { name, window } = runtime.plan;
  const { watermark } = runtime.status;
  const { key, after } = wanted;
  let bytes = 0;
  let passed: Cursor | undefined;
  for (const { block, through } of setup.reader.viewBlocks(name)) {
    if (block < runtime.firstBlock || (after && through - BigInt(window.size) < after.start)) continue;
    if (passed !== undefined && bytes >= LIMITS.maxViewReadBytes) return yield { group: passed };
    const stored = setup.reader.viewBlock(name, block);
    bytes += Math.max(stored.length, LIMITS.leastViewReadBytes);
    const groups = setup.kernels.openGroups(stored);
    for (const group of groupsIn(groups, wanted)) yield { group, final: true };
    // All rows but those of one key are bounded by how many are shown.
    if (key !== undefined && groups.rows > 0) {
      const last = groups.group(groups.rows - 1);
      if (!after || last.start > after.start) passed = { start: last.start, key: keyLike(last.key, key) };
    }
  }
  const open =
    key === undefined
      ? groupsIn(flows.open.of(runtime), wanted)
      : runtime.openOf(key).filter((group) => !after || isAfter(group, after));
  // Windows that have ended since the last record are open until the next.
  for (const group of open) yield { group, final: group.start + BigInt(window.size) <= watermark };
}

/** A key as a cursor has it. It is the one that was asked for: who may see that may not see others. */
function keyLike(other: bigint | string, key: string): bigint | string {
  if (typeof other === "string") return key;
  return /^-?\d{1,19}$/.test(key) ? BigInt(key) : 0n;
}

/** Only what is wanted of them is decoded. */
function* groupsIn(groups: PackedGroups, { key, after }: Wanted): Generator<WindowGroup> {
  const first = after === undefined ? 0 : firstAfter(groups, after);
  if (key === undefined) for (let row = first; row < groups.rows; row++) yield groups.group(row);
  else for (const row of groups.rowsOf(key)) if (row >= first) yield groups.group(row);
}

/** Groups are in order. */
function firstAfter(groups: PackedGroups, cursor: Cursor): number {
  let [low, high] = [0, groups.rows];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAfter(groups.group(middle), cursor)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function isAfter(group: WindowGroup, cursor: Cursor): boolean {
  if (group.start !== cursor.start) return group.start > cursor.start;
  return typeof group.key === "bigint" && typeof cursor.key === "bigint"
    ? group.key > cursor.key
    : compareText(String(group.key), String(cursor.key)) > 0;
}

function compareText(a: string, b: string): number {
  const x = new TextEncoder().encode(a);
  const y = new TextEncoder().encode(b);
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return (x[i] as number) - (y[i] as number);
  return x.length - y.length;
}

function viewBody(runtime: FlowRuntime, rows: readonly string[], next: string | undefined): string {
  const { watermark, events, late, batches } = runtime.status;
  const shown = watermark === INITIAL_WATERMARK ? "null" : watermark.toString();
  const cursor = next === undefined ? "" : `,"next":${JSON.stringify(next)}`;
  return `{"rows":[${rows.join(",")}],"watermark":${shown},"events":${events},"late":${late},"batches":${batches}${cursor}}`;
}
