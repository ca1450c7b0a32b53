/** Fuzzing of the hashes: keys, lone surrogates among them, and bytes of all lengths, at any address. */
import { murmur3 } from "../../core-wasm/reference/murmur3.ts";
import { hex64, xxh64 } from "../../core-wasm/reference/xxh64.ts";
import { differ, type Target, without, withoutBytes } from "./target.ts";

interface Case {
  /** UTF-16 units. */
  readonly key: readonly number[];
  readonly bytes: Uint8Array;
}

const UNITS = [0, 0x61, 0x7f, 0x80, 0x7ff, 0x800, 0xd83d, 0xde00, 0xd800, 0xdfff, 0xfeff, 0xffff];

export const hashes: Target<Case> = {
  make(random) {
    const key = Array.from({ length: random.int(random.pick([8, 300])) }, () =>
      random.int(2) === 0 ? random.pick(UNITS) : random.int(0x1_0000),
    );
    const from = random.int(4);
    return { key, bytes: random.bytes(from + random.int(random.pick([40, 400]))).subarray(from) };
  },
  check({ kernels }, { key, bytes }) {
    const text = String.fromCharCode(...key);
    return differ(kernels.hashKey(text), murmur3(text)) ?? differ(kernels.checksum(bytes), hex64(xxh64(bytes)));
  },
  *smaller(item) {
    for (const key of without(item.key)) yield { ...item, key };
    for (const bytes of withoutBytes(item.bytes)) yield { ...item, bytes };
  },
  show: ({ key, bytes }) => JSON.stringify({ units: key, bytes: Buffer.from(bytes).toString("hex") }),
};
