/** Benchmark: rows to partitions by the hash of a key, the keys already in memory as UTF-8: grouped row numbers come out. */
import { CoreInstance } from "../../core-wasm/facade/instance.ts";
import { parseEvents } from "../../core-wasm/facade/events.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { seeded } from "./bids.ts";
import { type KernelResult, contest } from "./harness.ts";
import { murmurBytes } from "./murmur.ts";

const KEYS = 100_000;
const PARTITIONS = 256;
const MASK = PARTITIONS - 1;
const TARGET = { idiomatic: 5, tuned: 3 };
const COLUMNS = [{ name: "key", type: "text" }] as const;
const TEXT = 3;

interface SplitFunctions {
  nameHash(name: number, length: number): number;
  scratch(bytes: number): number;
  splitOpen(
    frame: number,
    length: number,
    own: number,
    expected: number,
    columns: number,
    key: number,
    groups: number,
    mask: number,
    partitions: number,
  ): number;
  splitRows(partition: number): number;
}

/** Sizes of the partitions as one number. */
function digest(sizeOf: (partition: number) => number): string {
  let text = "";
  for (let partition = 0; partition < PARTITIONS; partition++) text += `${sizeOf(partition)} `;
  return text;
}

/** Runs the benchmark. */
export function benchPartition(): KernelResult[] {
  const encoder = new TextEncoder();
  const random = seeded(6);
  const keys = Array.from({ length: KEYS }, (_, i) => `acc-${Math.floor(random() * 1_000_000)}-${i}`);
  const bytes = encoder.encode(keys.join(""));
  const ends = new Uint32Array(KEYS);
  let end = 0;
  for (const [i, key] of keys.entries()) ends[i] = end += key.length;

  const core = new CoreInstance(loadCore());
  const kernels = core.functions<SplitFunctions>();
  const parsed = parseEvents(core, encoder.encode(keys.map((key) => `{"key":"${key}"}`).join("\n")), COLUMNS);
  if (!parsed.ok) throw new Error("the keys are refused");
  const frame = core.alloc(parsed.frame.length);
  core.u8.set(parsed.frame, frame);
  const groups = Uint16Array.from({ length: PARTITIONS }, (_, group) => group);
  const wasm = (): string => {
    core.resetScratch();
    const name = core.writeScratch(encoder.encode("key"));
    const expected = core.writeScratch(new Uint8Array(Uint32Array.of(TEXT, kernels.nameHash(name, 3)).buffer));
    const map = core.writeScratch(new Uint8Array(groups.buffer));
    const wrong = kernels.splitOpen(frame, parsed.frame.length, 1, expected, 1, 0, map, MASK, PARTITIONS);
    if (wrong !== 0) throw new Error("the frame is refused");
    return digest((partition) => kernels.splitRows(partition));
  };

  const idiomatic = (): string => {
    const parts = Array.from({ length: PARTITIONS }, (): number[] => []);
    for (const [row, key] of keys.entries()) {
      const text = encoder.encode(key);
      parts[murmurBytes(text, 0, text.length) & MASK]?.push(row);
    }
    return digest((partition) => (parts[partition] as number[]).length);
  };

  const places = new Uint16Array(KEYS);
  const order = new Uint32Array(KEYS);
  const tuned = (): string => {
    const starts = new Uint32Array(PARTITIONS + 1);
    for (let row = 0, start = 0; row < KEYS; row++) {
      const to = ends[row] as number;
      const place = murmurBytes(bytes, start, to) & MASK;
      places[row] = place;
      starts[place + 1] = (starts[place + 1] as number) + 1;
      start = to;
    }
    const sizes = starts.slice(1);
    for (let p = 1; p <= PARTITIONS; p++) starts[p] = (starts[p] as number) + (starts[p - 1] as number);
    for (let row = 0; row < KEYS; row++) {
      const place = places[row] as number;
      const at = starts[place] as number;
      order[at] = row;
      starts[place] = at + 1;
    }
    return digest((partition) => sizes[partition] as number);
  };

  return [
    contest({
      name: "partition, keys resident",
      rows: KEYS,
      target: TARGET,
      wasm: { run: wasm },
      idiomatic: { run: idiomatic },
      tuned: { run: tuned },
    }),
  ];
}
