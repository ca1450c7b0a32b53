/** Frames that were crafted: their checksum is right, what they say is not. */
import { type FrameLabel, seal, viewOf } from "../../../core-wasm/reference/frame.ts";
import type { Random } from "./random.ts";

export const COLUMNS_LABEL: FrameLabel = { magic: "TGC1", kind: 1, version: 1 };
export const GROUPS_LABEL: FrameLabel = { magic: "TGG1", kind: 2, version: 1 };

/** Changes a few bytes or words, header included, and makes the checksum right again. */
export function craft(frame: Uint8Array, label: FrameLabel, source: Random): Uint8Array {
  const length = source.int(4) === 0 ? Math.max(32, frame.length + source.int(17) - 8) : frame.length;
  const bytes = new Uint8Array(length);
  bytes.set(frame.subarray(0, length));
  const view = viewOf(bytes);
  for (let changes = 1 + source.int(3); changes > 0; changes--) {
    const at = 8 + 4 * source.int(Math.floor((source.int(2) === 0 ? Math.min(length, 112) : length) / 4) - 2);
    const value = source.pick([
      0,
      1,
      view.getUint32(at, true) + source.pick([1, -1, 8]),
      0x7fffffff,
      0xffffffff,
      0x20000000,
      source.int(64),
    ]);
    view.setUint32(at, value, true);
  }
  const words = [8, 12, 16, 20].map((at) => view.getUint32(at, true)) as [number, number, number, number];
  if (source.int(2) === 0 && label === COLUMNS_LABEL) words[2] = length;
  return seal(bytes, label, words);
}
