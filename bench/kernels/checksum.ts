/** Benchmark: checksums of bytes that lie in JavaScript, the copy into Wasm included. */
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { hex64, xxh64 } from "../../core-wasm/reference/xxh64.ts";
import { seeded } from "./bids.ts";
import { type KernelResult, contest } from "./harness.ts";
import { murmurBytes } from "./murmur.ts";
import { xxh64Halves } from "./xxh64-js.ts";

const TARGET = { idiomatic: 10 };
const BUSY_BYTES = 1024 * 1024;

/** FNV-1a, 32 bits: what one writes in five lines when any checksum will do. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Runs the benchmark: the same digest in all three, and then whatever 32-bit hash is fastest in JavaScript. */
export function benchChecksum(): KernelResult[] {
  const kernels = createKernels(loadCore());
  const random = seeded(3);
  return [1024, 65_536, 1_048_576].flatMap((size) => {
    const bytes = Uint8Array.from({ length: size }, () => random() * 256);
    const repeat = BUSY_BYTES / size;
    const some = (result: string | number): number => (result === "" || result === 0 ? 0 : size);
    return [
      contest({
        name: `checksum ${size} bytes, xxh64 in all`,
        rows: 1,
        target: TARGET,
        repeat,
        wasm: { run: () => kernels.checksum(bytes) },
        idiomatic: { run: () => hex64(xxh64(bytes)) },
        tuned: { run: () => xxh64Halves(bytes) },
      }),
      contest({
        name: `checksum ${size} bytes, against 32-bit hashes`,
        rows: 1,
        target: { idiomatic: 1 },
        repeat,
        wasm: { run: () => some(kernels.checksum(bytes)) },
        idiomatic: { run: () => some(fnv1a(bytes)) },
        tuned: { run: () => some(murmurBytes(bytes, 0, size)) },
      }),
    ];
  });
}
