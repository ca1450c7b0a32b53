/** Requests that came before their partition was up. They wait, up to a limit, and go on in order. */
import { CorruptError, type Kernels } from "../../core-wasm/types.ts";
import { LIMITS } from "../limits.ts";
import { ingestSpec } from "../wire/ingest.ts";
import { INVOKE } from "../wire/invoke.ts";
import { showEpoch } from "../epochs/epoch.ts";
import type { Epoch } from "../wire/messages.ts";
import type { Admission } from "./admission.ts";
import type { Effect, Input } from "./effects.ts";
import { problemAnswer } from "./problems.ts";

export type RequestInput = Extract<Input, { kind: "invoke" | "ingest" | "view" }>;

/** What an input that waits takes beside its frame. */
const OVERHEAD = 1_024;

export class HeldRequests {
  readonly #kernels: Kernels;
  #inputs: RequestInput[] = [];
  #bytes = 0;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  /** False when there is no room. @throws CorruptError for a damaged frame, which is not held */
  hold(input: RequestInput): boolean {
    if (input.kind !== "view") {
      this.#kernels.unpack(input.kind === "invoke" ? INVOKE : ingestSpec(input.frame), input.frame);
    }
    const bytes = OVERHEAD + (input.kind === "view" ? 0 : input.frame.length);
    if (this.#bytes + bytes > LIMITS.maxHeldBytes) return false;
    this.#bytes += bytes;
    this.#inputs.push(input);
    return true;
  }

  /** All go on, in order. Whoever sent one hears of no error any more, and others wait behind it. */
  release(request: (input: RequestInput) => void, admission: Admission, machine: { emit(effect: Effect): void }): void {
    const inputs = this.#inputs;
    this.#inputs = [];
    this.#bytes = 0;
    for (const input of inputs) {
      try {
        request(input);
      } catch (error) {
        if (!(error instanceof CorruptError) || input.kind !== "ingest") throw error;
        machine.emit({
          kind: "report",
          level: "error",
          message: "refused a frame that had waited",
          members: { error },
        });
        admission.refuseIngest(input.ticket);
      }
    }
  }

  get size(): number {
    return this.#inputs.length;
  }
}

/** There is no room for it to wait. */
export function refuseInput(
  input: RequestInput,
  admission: Admission,
  machine: { readonly clock: Epoch; emit(effect: Effect): void },
): void {
  if (input.kind === "invoke") admission.refuse(input.ticket, input.frame);
  else if (input.kind === "ingest") admission.refuseIngest(input.ticket);
  else {
    const body = { ...problemAnswer("overloaded", "this partition is starting"), epoch: showEpoch(machine.clock) };
    machine.emit({ kind: "reply", ticket: input.ticket, body });
  }
}
