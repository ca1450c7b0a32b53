/** Windowed flows in Wasm: their state stays there, frames go in and out. */
import type { ApplyOutcome, BatchBounds, PackedGroups, WindowPlan, WindowState } from "../types.ts";
import { numberKey, VerifiedGroups } from "../window-groups.ts";
import { checkPlan } from "../window-plan.ts";
import { corrupt } from "./frames.ts";
import type { CoreInstance } from "./instance.ts";
import { addressOfKept } from "./kept-frame.ts";
import { encodePlan } from "./plan.ts";

interface WindowFunctions {
  nameHash(name: number, length: number): number;
  windowOpen(plan: number, bytes: number): number;
  windowApply(
    state: number,
    frame: number,
    length: number,
    own: number,
    watermark: bigint,
    behind: bigint,
    bytes: number,
  ): number;
  appliedRows(): number;
  lateRows(): number;
  latestTime(): bigint;
  windowDelta(state: number): number;
  windowClose(state: number, watermark: bigint): number;
  windowSnapshot(state: number): number;
  windowGroupsOf(state: number, key: bigint, text: number, length: number): number;
  windowLoad(state: number, frame: number, length: number): number;
  windowGroups(state: number): number;
  windowBytes(state: number): number;
  windowHeld(state: number): number;
  windowGroupBytes(state: number): number;
  windowFree(state: number): void;
  packedLength(): number;
  verifyGroups(frame: number, length: number): number;
}

/** Verdict of the kernel beside those of frames.ts. */
const TOO_MANY_GROUPS = 6;
const UINT32_MAX = 0xffffffff;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const COLUMNS = "a columns frame";
const GROUPS = "window groups";
const encoder = new TextEncoder();

/** A bigint beyond int64 would wrap round on its way into Wasm. */
function clamp(watermark: bigint): bigint {
  return watermark > INT64_MAX ? INT64_MAX : watermark < INT64_MIN ? INT64_MIN : watermark;
}

/** See {@link Kernels.openWindow}. */
export function openWindow(core: CoreInstance, plan: WindowPlan): WindowState {
  checkPlan(plan);
  return new WasmWindow(core, plan);
}

/** See {@link Kernels.openGroups}. */
export function openGroups(core: CoreInstance, bytes: Uint8Array): PackedGroups {
  if (bytes.length === 0) return new VerifiedGroups();
  core.resetScratch();
  const verdict = core.functions<WindowFunctions>().verifyGroups(core.writeScratch(bytes), bytes.length);
  if (verdict !== 0) throw corrupt(verdict >>> 0, GROUPS);
  return new VerifiedGroups(bytes);
}

class WasmWindow implements WindowState {
  readonly #core: CoreInstance;
  readonly #kernels: WindowFunctions;
  readonly #textKeys: boolean;
  /** Address of the state; 0 once it is freed. */
  #state: number;

  constructor(core: CoreInstance, plan: WindowPlan) {
    this.#core = core;
    this.#kernels = core.functions<WindowFunctions>();
    this.#textKeys = plan.columns[plan.key]?.type === "text";
    const encoded = encodePlan(plan, (name) => {
      core.resetScratch();
      return this.#kernels.nameHash(core.writeScratch(name), name.length) >>> 0;
    });
    core.resetScratch();
    this.#state = this.#kernels.windowOpen(core.writeScratch(encoded), encoded.length);
  }

  apply(frame: Uint8Array, watermark: bigint, { outOfOrderness, bytes = UINT32_MAX }: BatchBounds = {}): ApplyOutcome {
    const state = this.#begin();
    const own = addressOfKept(this.#core, frame);
    const at = own === 0 ? this.#core.writeScratch(frame) : own;
    const behind = outOfOrderness === undefined ? -1n : BigInt(outOfOrderness);
    const verdict = this.#kernels.windowApply(
      state,
      at,
      frame.length,
      own === 0 ? 0 : 1,
      clamp(watermark),
      behind,
      Math.max(0, Math.min(bytes, UINT32_MAX)),
    );
    if (verdict === TOO_MANY_GROUPS) throw new RangeError("too-many-groups");
    if (verdict !== 0) throw corrupt(verdict >>> 0, COLUMNS);
    const rows = this.#core.view.getUint32(at + 8, true);
    return {
      rows,
      applied: this.#kernels.appliedRows() >>> 0,
      late: this.#kernels.lateRows() >>> 0,
      maxTime: rows === 0 ? null : this.#kernels.latestTime(),
    };
  }

  takeDelta(): Uint8Array {
    return this.#packed(this.#kernels.windowDelta(this.#begin()));
  }

  close(watermark: bigint): Uint8Array {
    return this.#packed(this.#kernels.windowClose(this.#begin(), clamp(watermark)));
  }

  snapshot(): Uint8Array {
    return this.#packed(this.#kernels.windowSnapshot(this.#begin()));
  }

  groupsOf(key: string): Uint8Array {
    const state = this.#begin();
    const number = this.#textKeys ? 0n : numberKey(key);
    if (number === null) return new Uint8Array();
    const text = encoder.encode(key);
    return this.#packed(this.#kernels.windowGroupsOf(state, number, this.#core.writeScratch(text), text.length));
  }

  load(bytes: Uint8Array): void {
    const state = this.#begin();
    if (bytes.length === 0) return;
    const verdict = this.#kernels.windowLoad(state, this.#core.writeScratch(bytes), bytes.length);
    if (verdict !== 0) throw corrupt(verdict >>> 0, GROUPS);
  }

  get groups(): number {
    return this.#kernels.windowGroups(this.#open()) >>> 0;
  }

  get bytes(): number {
    return this.#kernels.windowBytes(this.#open()) >>> 0;
  }

  get held(): number {
    return this.#kernels.windowHeld(this.#open()) >>> 0;
  }

  get groupBytes(): number {
    return this.#kernels.windowGroupBytes(this.#open()) >>> 0;
  }

  free(): void {
    this.#kernels.windowFree(this.#open());
    this.#state = 0;
  }

  #open(): number {
    if (this.#state === 0) throw new Error("this window state has been freed");
    return this.#state;
  }

  /** Starts a call with fresh scratch. */
  #begin(): number {
    const state = this.#open();
    this.#core.resetScratch();
    return state;
  }

  #packed(at: number): Uint8Array {
    return at === 0 ? new Uint8Array() : this.#core.copy(at, this.#kernels.packedLength() >>> 0);
  }
}
