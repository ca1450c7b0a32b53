/** The flows of one partition, by stream: a batch goes through all flows of its stream, or through none. */
import { planFlow } from "../../dataflow/plan.ts";
import { CorruptError, type Kernels } from "../../core-wasm/types.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { invariant } from "../assert.ts";
import { type FlowCheckpoint, FlowRuntime } from "../flows/flow-runtime.ts";
import type { FlowDelta } from "../record/record.ts";
import type { Batch } from "./admission.ts";
import type { StorageOp } from "./effects.ts";
import { LIMITS } from "../limits.ts";
import type { WindowedFlow } from "../../sdk/flow.ts";
import { fitsUtf8, utf8Length } from "../../sdk/utf8.ts";
import type { StateStore, Write } from "../state/store.ts";
import { kernelDrops, prepareKernel, requireNamed } from "./kernel-flows.ts";
import { LINE_ENTRY_HEAD_BYTES } from "../flows/lines.ts";
import { LateEvents, type LateLines } from "./late.ts";
import { OpenGroups } from "./open-groups.ts";
import { problemAnswer } from "./problems.ts";

export interface BatchOutcome {
  /** Refused: no flow has taken anything of the batch. */
  readonly applied: boolean;
  readonly status: number;
  readonly body: string;
  /** Events that came too late, by flow; to be kept with the batch. */
  readonly late?: readonly LateLines[];
}

/** What a batch may add to all flows of its stream. */
interface BatchLoad {
  readonly rows: number;
  /** Bytes of groups. */
  readonly most: number;
}

export class Flows {
  readonly app: AppDefinition;
  readonly open: OpenGroups;
  readonly #kernels: Kernels;
  readonly #late: LateEvents;
  /** Made when first touched, so that a partition without streams holds no operator state. */
  readonly #runtimes = new Map<string, FlowRuntime>();

  constructor(app: AppDefinition, kernels: Kernels) {
    this.app = app;
    this.#kernels = kernels;
    this.open = new OpenGroups(kernels);
    this.#late = new LateEvents(app, kernels);
  }

  /** The runtime of a flow; undefined when the app has no such flow (any more). */
  runtime(flow: string): FlowRuntime | undefined {
    const definition = this.app.windowed.get(flow);
    if (!definition) return undefined;
    const known = this.#runtimes.get(flow);
    if (known) return known;
    const runtime = new FlowRuntime(planFlow(definition), this.#kernels);
    this.#runtimes.set(flow, runtime);
    return runtime;
  }

  /** The runtime of what is stored of a flow. Where the code has no such flow, or operators run it, the state stays as it is for code that goes on with it. */
  stored(flow: string, meta: string): FlowRuntime | undefined {
    const known = this.runtime(flow) ?? this.#runtimes.get(flow);
    if (known) return known;
    const runtime = FlowRuntime.idle(flow, meta, this.#kernels);
    if (runtime) this.#runtimes.set(flow, runtime);
    return runtime;
  }

  /**
   * Takes a batch into all flows of its stream.
   * @param log makes durable what is committed so far, and closes windows that have ended: called when it is not certain that every flow can
   * take the batch, so that they have room and those before the first that cannot may be set back.
   */
  apply(batch: Batch, log: () => void, now: number): BatchOutcome {
    if (!this.app.streams.has(batch.stream)) {
      return { applied: false, ...problemAnswer("unknown-stream", `there is no stream "${batch.stream}"`) };
    }
    const runtimes = this.#ofStream(batch.stream);
    const keyBytes = runtimes.map(({ plan }) => this.#late.longestKey(this.#flowOf(plan), batch.columns));
    const isLong = (at: number): boolean => (keyBytes[at] as number) > LIMITS.maxEntryKeyBytes;
    if (runtimes.some((runtime, at) => isLong(at) && this.#hasLongKey(runtime, batch))) {
      const detail = `what events are grouped by has at most ${LIMITS.maxEntryKeyBytes} bytes; nothing was taken`;
      return { applied: false, ...problemAnswer("invalid-event", detail) };
    }
    const lates = runtimes.map((runtime) => this.#lateOf(runtime, batch, now));
    if (bytesOf(lates) > LIMITS.maxTransactionBytes) {
      const detail = `more than ${LIMITS.maxTransactionBytes} bytes of the batch come too late; nothing was taken, send it in parts`;
      return { applied: false, ...problemAnswer("transaction-too-large", detail) };
    }
    if (lates.some(({ lines }) => lines.some((line) => !fitsUtf8(line, MOST_OF_LINE)))) {
      const detail = `an event that comes too late is longer than ${MOST_OF_LINE} bytes, so it cannot be kept; nothing was taken`;
      return { applied: false, ...problemAnswer("transaction-too-large", detail) };
    }
    const most = runtimes.reduce((sum, each, at) => sum + each.mostOf(batch.rows, keyBytes[at] as number), 0);
    const marks = this.#marks(runtimes, { rows: batch.rows, most }, log);
    const late: Record<string, number> = {};
    for (const [index, runtime] of runtimes.entries()) {
      try {
        const counted = runtime.apply(batch.columns, this.#roomOf(runtime)).late;
        invariant(counted === lates[index]?.lines.length, "5: late events are not those that the kernel counts");
        late[runtime.plan.name] = counted;
      } catch (error) {
        for (let before = 0; before < index; before++) {
          const mark = marks[before];
          invariant(mark !== undefined, "1: a batch was taken by some of its flows only");
          runtimes[before]?.setBack(mark);
        }
        return refusal(runtime.plan.name, error);
      }
    }
    const body = JSON.stringify({ accepted: batch.rows, late });
    return { applied: true, status: 200, body, late: lates.filter(({ lines }) => lines.length > 0) };
  }

  /**
   * Makes the flows of a stream ready for a batch, when the code has changed. Returns what is to be committed, whatever becomes of the batch.
   * @throws TidegateError `flow-changed`, with nothing changed
   */
  prepare(stream: string, committed: StateStore): Write[] {
    const all = this.#ofStream(stream).map((runtime) => [this.app.flows.get(runtime.plan.name), runtime] as const);
    const known = all.flatMap(([flow, runtime]) => (flow === undefined ? [] : [[flow, runtime] as const]));
    for (const [flow, runtime] of known) requireNamed(flow, kernelDrops(flow, runtime, committed));
    return known.flatMap(([flow, runtime]) => prepareKernel(flow, runtime, committed));
  }

  #lateOf({ plan, status }: FlowRuntime, { columns }: Batch, now: number): LateLines {
    const flow = this.#flowOf(plan);
    return { flow, begin: status.late, lines: this.#late.linesOf(flow, columns, status.watermark, now) };
  }

  #hasLongKey({ plan, status }: FlowRuntime, { columns }: Batch): boolean {
    return this.#late.hasLongKey(this.#flowOf(plan), columns, status.watermark);
  }

  #flowOf({ name }: FlowRuntime["plan"]): WindowedFlow {
    return this.app.windowed.get(name) as WindowedFlow;
  }

  #ofStream(stream: string): FlowRuntime[] {
    return [...this.app.windowed.values()]
      .filter((flow) => flow.stream.name === stream)
      .map((flow) => this.runtime(flow.name) as FlowRuntime);
  }

  /**
   * A lone flow refuses without having changed, and so does the first: marks are for batches that a later flow may refuse. Windows that have ended
   * are closed before a batch that may come to the bound: beside what the bound allows there is but one batch's in memory.
   */
  #marks(runtimes: readonly FlowRuntime[], load: BatchLoad, log: () => void): FlowCheckpoint[] {
    if (this.#surelyTake(runtimes, load)) return [];
    log();
    return this.#surelyTake(runtimes.slice(1), load) ? [] : runtimes.map((each) => each.mark());
  }

  /** Whether these of all that are given a batch take it for certain. */
  #surelyTake(some: readonly FlowRuntime[], { rows, most }: BatchLoad): boolean {
    if (some.length === 0) return true;
    return this.#held + most <= LIMITS.maxWindowBytes && some.every((each) => each.surelyTakes(rows));
  }

  /** Bytes that open groups of a flow may take: what others leave, and in any case its share, so that none waits for windows of others to end. */
  #roomOf(runtime: FlowRuntime): number {
    const { maxWindowBytes } = LIMITS;
    return Math.max(maxWindowBytes - this.#held + runtime.held, Math.floor(maxWindowBytes / this.app.windowed.size));
  }

  /** Bytes that open groups of the flows take that the code has: what it has not cannot come to an end. */
  get #held(): number {
    let bytes = 0;
    for (const [flow, runtime] of this.#runtimes) if (this.app.windowed.has(flow)) bytes += runtime.held;
    return bytes;
  }

  /** Whether a stream is the window kernel's; one that no flow reads is nobody's. */
  runs(stream: string): boolean {
    return this.#ofStream(stream).length > 0;
  }

  /** What is kept of the flows of such streams. */
  ofStreams(isOne: (stream: string) => boolean): FlowRuntime[] {
    const own = [...this.app.windowed.values()].filter(({ stream }) => isOne(stream.name));
    const idle = this.#idle.filter(({ plan }) => isOne(plan.stream));
    return [...own.map(({ name }) => this.runtime(name) as FlowRuntime), ...idle];
  }

  /** Those of which something is kept though the app does not have them (any more). */
  get #idle(): FlowRuntime[] {
    return [...this.#runtimes.values()].filter(({ plan }) => !this.app.windowed.has(plan.name));
  }

  /** Takes over a flow that was kept elsewhere, as of this partition's record `seq`. @returns what is to be stored, at once */
  adopt(flow: string, { meta, bytes }: FlowCheckpoint, seq: number): StorageOp[] {
    const runtime = this.stored(flow, meta);
    if (!runtime) return [];
    runtime.setBack({ meta: JSON.stringify({ ...(JSON.parse(meta) as object), seq }), bytes });
    return runtime.checkpoint();
  }

  /**
   * Forgets what is kept of flows none of whose streams is here, as of this partition's record `seq`: they have moved away.
   * @param isStored whether closed windows of a flow are
   * @returns what is to be stored, at once
   */
  forgetMoved(isHere: (stream: string) => boolean, isStored: (flow: string) => boolean, seq: number): StorageOp[] {
    const all = this.names.flatMap(
      (name) => this.#runtimes.get(name) ?? (isStored(name) ? this.runtime(name) : []) ?? [],
    );
    const moved = all.filter(({ streams }) => !streams.some(isHere));
    return moved
      .filter(({ plan, status }) => status.batches > 0 || isStored(plan.name))
      .flatMap((runtime) => runtime.forget(seq));
  }

  /** Those that have closed windows, perhaps. */
  get names(): string[] {
    return [...this.app.windowed.keys(), ...this.#idle.map(({ plan }) => plan.name)];
  }

  /** The state of every flow that took anything; all of it is logged. */
  marks(): Array<FlowCheckpoint & { readonly flow: string }> {
    return [...this.#runtimes]
      .filter(([, runtime]) => runtime.status.batches > 0)
      .map(([flow, runtime]) => ({ flow, ...runtime.mark() }));
  }

  get dirty(): boolean {
    for (const runtime of this.#runtimes.values()) if (runtime.dirty) return true;
    return false;
  }

  /** What record `seq` holds of all flows that changed, in `room` bytes at most, and what is to be stored with it. */
  takeChanges(seq: number, room: number): { deltas: FlowDelta[]; ops: StorageOp[] } {
    const deltas: FlowDelta[] = [];
    const ops: StorageOp[] = [];
    for (const runtime of this.#runtimes.values()) {
      if (!runtime.dirty) continue;
      const changes = runtime.takeChanges(seq, room);
      room -= changes.delta.delta.length;
      deltas.push(changes.delta);
      ops.push(...changes.ops);
    }
    return { deltas, ops };
  }

  /** Checkpoints of all flows whose records are about to be dropped. */
  checkpoints(): StorageOp[] {
    return [...this.#runtimes.values()]
      .filter((runtime) => runtime.needsCheckpoint)
      .flatMap((runtime) => runtime.checkpoint());
  }

  /** Bytes that checkpoints of everything would take, roughly. */
  get bytes(): number {
    let bytes = 0;
    for (const runtime of this.#runtimes.values()) bytes += runtime.bytes;
    return bytes;
  }
}

/** A late event is a line of an entry (flows/lines.ts), which is one value. */
const MOST_OF_LINE = LIMITS.maxValueBytes - LINE_ENTRY_HEAD_BYTES;

function bytesOf(lates: readonly LateLines[]): number {
  return lates.reduce((sum, { lines }) => sum + lines.reduce((bytes, line) => bytes + utf8Length(line), 0), 0);
}

function refusal(flow: string, error: unknown): BatchOutcome {
  if (error instanceof CorruptError) throw error;
  if (!(error instanceof RangeError)) throw error;
  const detail = `flow "${flow}" holds as many open groups as it may, or they and those of other flows take as much memory as they may`;
  return { applied: false, ...problemAnswer("too-many-groups", detail) };
}

/** Applies a batch. Columns that are not the stream's refuse its frame, and nobody waits for an answer then. */
export function applied(
  flows: Flows,
  log: { write(): boolean },
  batch: Batch,
  now: number,
  refused: () => void,
): BatchOutcome {
  try {
    return flows.apply(batch, () => log.write(), now);
  } catch (error) {
    refused();
    throw error;
  }
}
