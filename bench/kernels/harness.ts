/** Times contenders that take turns in one run, so that noise of the machine falls on all of them alike. */

/** One row of a kernel benchmark's table. Ratios are above 1 when Wasm is faster. */
export interface KernelResult {
  readonly name: string;
  /** Items handled per run: rows, keys, lines. */
  readonly rows: number;
  readonly wasmMs: number;
  readonly idiomaticMs: number;
  readonly tunedMs: number;
  readonly ratioIdiomatic: number;
  readonly ratioTuned: number;
  /** The same of the fastest runs, to which other work on the machine has added least. */
  readonly bestIdiomatic: number;
  readonly bestTuned: number;
  /** What the ratios are to reach. */
  readonly target: Target;
}

/** What a kernel is to reach against idiomatic and against hand-tuned JavaScript; nothing where a figure is there for comparison only. */
export interface Target {
  readonly idiomatic?: number;
  readonly tuned?: number;
}

/** One way to do the work; `run` returns a digest of its result, which must be the same for all. */
export interface Contender {
  run(): string | number | bigint;
}

export interface Contest {
  readonly name: string;
  readonly rows: number;
  readonly target: Target;
  readonly wasm: Contender;
  readonly idiomatic: Contender;
  readonly tuned: Contender;
  /** Calls per timed run, for work shorter than a millisecond; 1 by default. */
  readonly repeat?: number;
  /** Timed runs of each contender; at least 5, 15 by default. */
  readonly runs?: number;
}

const WARMUP_MS = 300;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

function time(contender: Contender, repeat: number): number {
  const start = performance.now();
  for (let i = 0; i < repeat; i++) contender.run();
  return (performance.now() - start) / repeat;
}

/** Checks that all contenders give the same result, warms them up, then times them in turns; medians per run. */
export function contest(spec: Contest): KernelResult {
  const contenders = [spec.wasm, spec.idiomatic, spec.tuned];
  const results = contenders.map((contender) => contender.run());
  if (results.some((result) => result !== results[0])) {
    throw new Error(`${spec.name}: contenders disagree: ${results.join(" / ")}`);
  }
  for (const contender of contenders) {
    const until = performance.now() + WARMUP_MS;
    while (performance.now() < until) contender.run();
  }
  const times: number[][] = [[], [], []];
  const runs = Math.max(5, spec.runs ?? 15);
  for (let run = 0; run < runs; run++) {
    for (let turn = 0; turn < 3; turn++) {
      const index = (run + turn) % 3;
      times[index]?.push(time(contenders[index] as Contender, spec.repeat ?? 1));
    }
  }
  const [wasmMs, idiomaticMs, tunedMs] = times.map(median) as [number, number, number];
  const ratioIdiomatic = idiomaticMs / wasmMs;
  const [wasmBest, idiomaticBest, tunedBest] = times.map((of) => Math.min(...of)) as [number, number, number];
  return {
    name: spec.name,
    rows: spec.rows,
    wasmMs,
    idiomaticMs,
    tunedMs,
    ratioIdiomatic,
    ratioTuned: tunedMs / wasmMs,
    bestIdiomatic: idiomaticBest / wasmBest,
    bestTuned: tunedBest / wasmBest,
    target: spec.target,
  };
}
