/** The flows of one partition, by stream: a batch goes through all flows of its stream, or through none. */
import { planFlow } from "../../dataflow/plan.ts";
import { CorruptError, type Kernels } from "../../core-wasm/types.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { FlowRuntime } from "../flows/flow-runtime.ts";
import type { FlowDelta } from "../record/record.ts";
import type { Batch } from "./admission.ts";
import type { StorageOp } from "./effects.ts";
import { problemAnswer } from "./problems.ts";

export type BatchOutcome =
  | { readonly kind: "applied" | "refused"; readonly status: number; readonly body: string }
  /** Some flows have the batch and one has refused it: only storage knows the state before. */
  | { readonly kind: "torn" };

export class Flows {
  readonly #app: AppDefinition;
  readonly #kernels: Kernels;
  /** Made when first touched, so that a partition without streams holds no operator state. */
  readonly #runtimes = new Map<string, FlowRuntime>();

  constructor(app: AppDefinition, kernels: Kernels) {
    this.#app = app;
    this.#kernels = kernels;
  }

  /** The runtime of a flow; undefined when the app has no such flow (any more). */
  runtime(flow: string): FlowRuntime | undefined {
    const known = this.#runtimes.get(flow);
    const definition = this.#app.flows.get(flow);
    if (known || !definition) return known;
    const runtime = new FlowRuntime(planFlow(definition), this.#kernels);
    this.#runtimes.set(flow, runtime);
    return runtime;
  }

  apply(batch: Batch): BatchOutcome {
    const stream = this.#app.streams.get(batch.stream);
    if (!stream) return { kind: "refused", ...problemAnswer("unknown-stream", `there is no stream "${batch.stream}"`) };
    const late: Record<string, number> = {};
    let applied = 0;
    for (const flow of this.#app.flows.values()) {
      if (flow.stream.name !== batch.stream) continue;
      const runtime = this.runtime(flow.name) as FlowRuntime;
      try {
        late[flow.name] = runtime.apply(batch.columns).late;
        applied += 1;
      } catch (error) {
        return applied === 0 ? refusal(flow.name, error) : { kind: "torn" };
      }
    }
    return { kind: "applied", status: 200, body: JSON.stringify({ accepted: batch.rows, late }) };
  }

  get dirty(): boolean {
    for (const runtime of this.#runtimes.values()) if (runtime.dirty) return true;
    return false;
  }

  /** What record `seq` holds of all flows that changed, and the window blocks to be stored with it. */
  takeChanges(seq: number): { deltas: FlowDelta[]; ops: StorageOp[] } {
    const deltas: FlowDelta[] = [];
    const ops: StorageOp[] = [];
    for (const runtime of this.#runtimes.values()) {
      if (!runtime.dirty) continue;
      const changes = runtime.takeChanges(seq);
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

function refusal(flow: string, error: unknown): BatchOutcome {
  if (error instanceof CorruptError) throw error;
  if (!(error instanceof RangeError)) throw error;
  return { kind: "refused", ...problemAnswer("too-many-groups", `flow "${flow}" holds as many open groups as it may`) };
}
