/** Erasing: nothing that is stored has a word of what was erased. */
import type { MapStore } from "../map-store.ts";

/** @returns where it is found */
export function tracesOf(word: string, { stateBlocks, meta, records, recents }: MapStore): string[] {
  const has = (bytes: Uint8Array): boolean => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(word);
  return [
    ...[...stateBlocks].filter(([, { bytes, head }]) => has(bytes) || has(head)).map(([id]) => `block ${id}`),
    ...[...meta].filter(([, value]) => value.includes(word)).map(([name]) => `"${name}"`),
    ...records.filter(({ bytes }) => has(bytes)).map(({ seq }) => `record ${seq}`),
    ...recents.filter(({ bytes }) => has(bytes)).map(({ seq }) => `recent results ${seq}`),
  ];
}
