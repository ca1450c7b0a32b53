/** Open groups of flows as views read them: packed and sorted once for as long as they stay the same. */
import type { Kernels, PackedGroups } from "../../core-wasm/types.ts";
import type { FlowRuntime } from "../flows/flow-runtime.ts";
import { LIMITS } from "../limits.ts";

interface Kept {
  readonly changes: number;
  readonly groups: PackedGroups;
  readonly bytes: number;
}

export class OpenGroups {
  readonly #kernels: Kernels;
  /** Those that were made first come first. */
  readonly #kept = new Map<FlowRuntime, Kept>();

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  /** Whoever reads page by page, or asks again and again, has the same ones while no batch comes. */
  of(runtime: FlowRuntime): PackedGroups {
    const known = this.#kept.get(runtime);
    if (known?.changes === runtime.changes) return known.groups;
    this.#kept.delete(runtime);
    const bytes = runtime.snapshot();
    const groups = this.#kernels.openGroups(bytes);
    this.#kept.set(runtime, { changes: runtime.changes, groups, bytes: bytes.length });
    this.#evict();
    return groups;
  }

  #evict(): void {
    let bytes = 0;
    for (const kept of this.#kept.values()) bytes += kept.bytes;
    for (const [oldest, kept] of this.#kept) {
      if (bytes <= LIMITS.maxShownGroupsBytes) return;
      this.#kept.delete(oldest);
      bytes -= kept.bytes;
    }
  }
}
