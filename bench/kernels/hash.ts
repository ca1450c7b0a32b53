/** Benchmark: keys to key groups, from JavaScript strings; here Wasm starts behind, since the strings must cross first. */
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { seeded } from "./bids.ts";
import { type KernelResult, contest } from "./harness.ts";
import { murmurBytes, murmurText } from "./murmur.ts";

const KEYS = 100_000;
const GROUP_MASK = 255;
/** Keys that come as strings must be copied in first: for comparison only. */
const TARGET = {};

/** Sum over keys of their groups, weighted by position: what all contenders must agree on. */
function groupsOf(keys: readonly string[], hash: (key: string) => number): number {
  let sum = 0;
  for (let i = 0; i < keys.length; i++) sum += (hash(keys[i] as string) & GROUP_MASK) * (i & 1023);
  return sum;
}

/** Runs the benchmark. */
export function benchHash(): KernelResult[] {
  const kernels = createKernels(loadCore());
  const encoder = new TextEncoder();
  const random = seeded(5);
  const idiomatic = (key: string): number => {
    const bytes = encoder.encode(key);
    return murmurBytes(bytes, 0, bytes.length);
  };
  const short = Array.from({ length: KEYS }, () => `acc-${Math.floor(random() * 1_000_000)}`);
  const long = short.map((key) => `${key}-${"0123456789abcdef".repeat(4)}`);
  return (
    [
      ["hash keys of ~10 characters", short],
      ["hash keys of ~75 characters", long],
    ] as const
  ).map(([name, keys]) =>
    contest({
      name,
      rows: KEYS,
      target: TARGET,
      wasm: { run: () => groupsOf(keys, kernels.hashKey) },
      idiomatic: { run: () => groupsOf(keys, idiomatic) },
      tuned: { run: () => groupsOf(keys, murmurText) },
    }),
  );
}
