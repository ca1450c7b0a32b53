/** The last frame that an instance parsed, which is still in its memory: what usually comes next is to apply it. */
import type { CoreInstance } from "./instance.ts";

interface KeptFrame {
  /** The array that the caller was given. */
  readonly bytes: Uint8Array;
  /** Where the same bytes are in Wasm memory. */
  readonly at: number;
}

const CHECKSUM_AT = 24;
const CHECKSUM_BYTES = 8;
const kept = new WeakMap<CoreInstance, KeptFrame>();

/** Notes that `bytes` are at `at`, until the next call of this function. */
export function keepFrame(core: CoreInstance, bytes: Uint8Array, at: number): void {
  kept.set(core, { bytes, at });
}

/** Notes that no frame is kept. */
export function forgetFrame(core: CoreInstance): void {
  kept.delete(core);
}

/** Address of `bytes` if they are the kept frame, otherwise 0. The array must be the very one, and its checksum that of the copy, lest another frame was written into it. */
export function addressOfKept(core: CoreInstance, bytes: Uint8Array): number {
  const frame = kept.get(core);
  if (frame?.bytes !== bytes) return 0;
  const memory = core.u8;
  for (let i = CHECKSUM_AT; i < CHECKSUM_AT + CHECKSUM_BYTES; i++) if (bytes[i] !== memory[frame.at + i]) return 0;
  return frame.at;
}
