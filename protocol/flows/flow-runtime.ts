/** One flow on one partition: its operator state, watermark, offsets and closed windows. */
import { advance, INITIAL_WATERMARK } from "../../dataflow/watermark.ts";
import type { FlowPlan, WindowPlan } from "../../dataflow/plan.ts";
import type { Kernels, WindowGroup, WindowState } from "../../core-wasm/types.ts";
import { idlePlanOf, type KeptPlan, keptPlanOf, sameKept, windowPlanOf } from "./kept-plan.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import type { StorageOp } from "../partition/effects.ts";
import { cut, type FlowDelta } from "../record/record.ts";

/** What a flow keeps beside its groups; stored as JSON with every delta and checkpoint. */
interface FlowMeta {
  readonly watermark: string;
  /** Events taken from the stream, and of these: late ones. */
  readonly events: number;
  readonly late: number;
  /** Batches taken: the flow's offset in its stream. */
  readonly offset: number;
  /** Blocks of closed windows written. */
  readonly blocks: number;
  /** Newest record that this state includes. */
  readonly seq: number;
  /** The first of these that shows groups of the present definition; absent in what older code stored. */
  readonly first?: number;
  /** So often all was dropped; absent where it never was, and in what older code stored, which goes on with what is there. */
  readonly drops?: number | undefined;
  /** What its groups are. */
  readonly plan?: KeptPlan;
  /** Name of the stream that it reads; likewise. */
  readonly stream?: string;
}

export interface FlowCheckpoint {
  readonly meta: string;
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array();

export class FlowRuntime {
  readonly plan: FlowPlan;
  readonly #kernels: Kernels;
  /** The stream whose events are in the state: an earlier version of the flow may have read another. */
  #stream: string;
  readonly #wanted: KeptPlan;
  /** What the groups in `#state` are: of an earlier version of the flow, it may be something else than is wanted. */
  #kept: KeptPlan;
  /** What was kept by an earlier version goes with the next record. */
  #dropping = false;
  #state: WindowState;
  #watermark = INITIAL_WATERMARK;
  #events = 0;
  #late = 0;
  #offset = 0;
  #blocks = 0;
  #first = 0;
  #drops = 0;
  #seq = 0;
  #dirty = false;
  #changes = 0;
  /** Records hold what the last checkpoint does not: of a batch that no window took, where its time and offset are. */
  #unfolded = false;

  constructor(plan: FlowPlan, kernels: Kernels) {
    this.plan = plan;
    this.#stream = plan.stream;
    this.#kernels = kernels;
    this.#wanted = keptPlanOf(plan.window);
    this.#kept = this.#wanted;
    this.#state = kernels.openWindow(plan.window);
  }

  /** For what is stored of a flow that the code does not have; undefined where older code stored too little of it. */
  static idle(flow: string, text: string, kernels: Kernels): FlowRuntime | undefined {
    const { plan, stream } = JSON.parse(text) as FlowMeta;
    if (plan === undefined || stream === undefined) return undefined;
    return new FlowRuntime(idlePlanOf(flow, stream, plan), kernels);
  }

  /** The state is of another definition: it can be kept, and nothing can be added to it. */
  get isStale(): boolean {
    return this.#stream !== this.plan.stream || !sameKept(this.#kept, this.#wanted);
  }

  /** The stream that it is to read, and the one whose events are in the state. */
  get streams(): readonly string[] {
    return [this.plan.stream, this.#stream];
  }

  /** Forgets open and closed windows of an earlier version. How far time has come stays, and what was counted. */
  drop(): void {
    this.#reopen(this.#wanted);
    this.#stream = this.plan.stream;
    this.#first = this.#blocks;
    this.#drops += 1;
    this.#dropping = true;
    this.#dirty = true;
  }

  #reopen(kept: KeptPlan): void {
    this.#changes += 1;
    this.#state.free();
    this.#kept = kept;
    const plan: WindowPlan = sameKept(kept, this.#wanted) ? this.plan.window : windowPlanOf(kept);
    this.#state = this.#kernels.openWindow(plan);
  }

  /**
   * Adds one batch.
   * @param bytes that its open groups may take
   * @throws RangeError("too-many-groups") or CorruptError, with nothing changed
   */
  apply(columnsFrame: Uint8Array, bytes: number): { rows: number; late: number } {
    invariant(!this.isStale, "1: events are added to the state of another definition");
    const outcome = this.#state.apply(columnsFrame, this.#watermark, {
      outOfOrderness: this.plan.outOfOrderness,
      bytes,
    });
    const next = advance(this.#watermark, outcome.maxTime, this.plan.outOfOrderness);
    invariant(next >= this.#watermark, "a watermark went back");
    this.#watermark = next;
    this.#events += outcome.rows;
    this.#late += outcome.late;
    this.#offset += 1;
    this.#changes += 1;
    this.#dirty = true;
    return { rows: outcome.rows, late: outcome.late };
  }

  /** Bytes that its open groups take. */
  get held(): number {
    return this.#state.held;
  }

  /** Bytes that groups of a batch take at most. @param keyBytes of the longest text that one is grouped by */
  mostOf(rows: number, keyBytes: number): number {
    return rows * (this.#state.groupBytes + keyBytes);
  }

  /** Whether a batch of so many rows is few enough groups for certain, whatever its keys and times are. */
  surelyTakes(rows: number): boolean {
    return this.#state.groups + rows <= this.plan.window.maxGroups;
  }

  /** The present state, to be set back to. Only while everything is logged: a state that is set back has nothing to log. */
  mark(): FlowCheckpoint {
    invariant(!this.#dirty, "1: a flow is marked with changes that no record holds");
    return { meta: this.#meta(), bytes: this.#state.snapshot() };
  }

  setBack(mark: FlowCheckpoint): void {
    this.#reopen(this.#kept);
    this.#dirty = false;
    this.restore(mark);
  }

  get dirty(): boolean {
    return this.#dirty;
  }

  /**
   * What record `seq` must hold of this flow, and the blocks of windows that closed with it. Changes above `room` bytes are not for a
   * record: a checkpoint beside it has them, and the record an empty delta.
   */
  takeChanges(seq: number, room: number): { delta: FlowDelta; ops: StorageOp[] } {
    const changes = this.#state.takeDelta();
    const closed = this.#state.close(this.#watermark);
    const ops: StorageOp[] = this.#dropping ? [{ op: "drop-flow", flow: this.plan.name }] : [];
    this.#dropping = false;
    if (closed.length > 0) {
      this.#changes += 1;
      const block = this.#blocks++;
      for (const [part, bytes] of cut(closed, LIMITS.maxPartBytes).entries()) {
        ops.push({ op: "put-view-block", flow: this.plan.name, block, part, through: this.#watermark, bytes });
      }
    }
    this.#seq = seq;
    this.#dirty = false;
    this.#unfolded = true;
    const fits = changes.length <= room;
    if (!fits) ops.push(...this.checkpoint());
    const delta = fits ? changes : NOTHING;
    return { delta: { flow: this.plan.name, meta: this.#meta(), delta }, ops };
  }

  #meta(): string {
    const meta: FlowMeta = {
      watermark: this.#watermark.toString(),
      events: this.#events,
      late: this.#late,
      offset: this.#offset,
      blocks: this.#blocks,
      first: this.#first,
      drops: this.#drops === 0 ? undefined : this.#drops,
      seq: this.#seq,
      plan: this.#kept,
      stream: this.#stream,
    };
    return JSON.stringify(meta);
  }

  /** Operations that replace the stored checkpoint by the present state. Call only between flushes. */
  checkpoint(): StorageOp[] {
    invariant(!this.#dirty, "1: a checkpoint would hold what no record holds");
    this.#unfolded = false;
    const meta = this.#meta();
    return cut(this.#state.snapshot(), LIMITS.maxPartBytes).map((bytes, part) => ({
      op: "put-checkpoint" as const,
      flow: this.plan.name,
      part,
      meta,
      bytes,
    }));
  }

  get needsCheckpoint(): boolean {
    return this.#unfolded;
  }

  restore({ meta, bytes }: FlowCheckpoint): void {
    // What has taken nothing is of no definition.
    if ((JSON.parse(meta) as FlowMeta).offset === 0) return this.#restoreEmpty(meta);
    this.#expect(meta);
    this.#state.load(bytes);
    this.#adopt(meta);
  }

  #restoreEmpty(meta: string): void {
    this.#reopen(this.#wanted);
    this.#adopt(meta);
    this.#stream = this.plan.stream;
  }

  /**
   * Begins anew: all that it has taken, up to record `seq`, is kept elsewhere by now. Stored, it says so to a restart, for which records hold some of
   * that still.
   */
  forget(seq: number): StorageOp[] {
    const watermark = INITIAL_WATERMARK.toString();
    const meta: FlowMeta = { watermark, events: 0, late: 0, offset: 0, blocks: 0, drops: 0, seq };
    this.setBack({ meta: JSON.stringify(meta), bytes: NOTHING });
    return [{ op: "drop-flow", flow: this.plan.name }, ...this.checkpoint()];
  }

  /** What comes next is of this definition, and behind so many drops. What was there before was dropped before it was written. */
  #expect(text: string): void {
    const { plan = this.#kept, drops = this.#drops } = JSON.parse(text) as FlowMeta;
    if (drops !== this.#drops || !sameKept(plan, this.#kept)) this.#reopen(plan);
  }

  /** Applies what a record holds, unless the checkpoint already includes it. */
  replay(delta: FlowDelta, seq: number): void {
    if (seq <= this.#seq) return;
    this.#expect(delta.meta);
    this.#state.load(delta.delta);
    this.#adopt(delta.meta);
    this.#state.close(this.#watermark);
    invariant(this.#seq === seq, "1: a flow's delta names another record");
    this.#unfolded = true;
  }

  #adopt(text: string): void {
    const meta = JSON.parse(text) as FlowMeta;
    this.#changes += 1;
    this.#watermark = BigInt(meta.watermark);
    this.#events = meta.events;
    this.#late = meta.late;
    this.#offset = meta.offset;
    this.#blocks = meta.blocks;
    this.#first = meta.first ?? 0;
    this.#drops = meta.drops ?? this.#drops;
    this.#stream = meta.stream ?? this.plan.stream;
    this.#seq = meta.seq;
  }

  /** Blocks of closed windows before this one are of an earlier definition, if there are any: they may have come with a move that had begun before they were dropped. */
  get firstBlock(): number {
    return this.#first;
  }

  /** Open groups, packed in the order of windows and keys. */
  snapshot(): Uint8Array {
    return this.#state.snapshot();
  }

  /** Those of one key, given as text, in the order of windows. */
  openOf(key: string): WindowGroup[] {
    return this.#kernels.readGroups(this.#state.groupsOf(key));
  }

  /** Another number whenever open groups may have changed. */
  get changes(): number {
    return this.#changes;
  }

  /** Bytes of memory that its operator state holds. */
  get bytes(): number {
    return this.#state.bytes;
  }
  get status(): { watermark: bigint; events: number; late: number; batches: number } {
    return { watermark: this.#watermark, events: this.#events, late: this.#late, batches: this.#offset };
  }
}
