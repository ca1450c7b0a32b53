/** Takes a CPU profile of a Worker while something runs, and sums it by functions. */
import { writeFile } from "node:fs/promises";
import { inspect } from "./inspector.ts";

const SAMPLE_MICROSECONDS = 200;

export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** Counted from 0. */
  readonly lineNumber: number;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
  /** Samples by line, counted from 1. */
  readonly positionTicks?: ReadonlyArray<{ readonly line: number; readonly ticks: number }>;
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** Time of one function of one file, in microseconds: its own, and with what it calls. */
export interface FunctionTime {
  readonly name: string;
  readonly file: string;
  self: number;
  total: number;
}

/** Runs `work` under the profiler of one Worker. */
export async function takeProfile<T>(
  port: number,
  worker: string,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly profile: CpuProfile }> {
  const session = await inspect(port, worker);
  try {
    await session.send("Profiler.enable");
    await session.send("Profiler.setSamplingInterval", { interval: SAMPLE_MICROSECONDS });
    await session.send("Profiler.start");
    const result = await work();
    const { profile } = await session.send<{ profile: CpuProfile }>("Profiler.stop");
    return { result, profile };
  } finally {
    session.close();
  }
}

/**
 * Sums a profile by function and file, longest own time first.
 * @param fileOf the file of a frame; of the platform's own functions, which have none, the caller is told instead
 */
export function functionTimes(profile: CpuProfile, fileOf: (frame: CallFrame) => string): FunctionTime[] {
  const selfOf = new Map<number, number>();
  for (const [index, id] of profile.samples.entries())
    selfOf.set(id, (selfOf.get(id) ?? 0) + (profile.timeDeltas[index] ?? 0));
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const times = new Map<string, FunctionTime>();
  const visit = (node: ProfileNode, path: ReadonlySet<FunctionTime>, caller: FunctionTime | undefined): number => {
    const name = node.callFrame.functionName || `(anonymous, line ${node.callFrame.lineNumber + 1})`;
    const file = fileOf(node.callFrame) || (name.startsWith("(") ? "" : nativeFrom(caller));
    const time = times.get(`${name} ${file}`) ?? { name, file, self: 0, total: 0 };
    times.set(`${name} ${file}`, time);
    const self = selfOf.get(node.id) ?? 0;
    const below = new Set(path).add(time);
    const total = (node.children ?? []).reduce(
      (sum, id) => sum + visit(nodes.get(id) as ProfileNode, below, time),
      self,
    );
    time.self += self;
    if (!path.has(time)) time.total += total;
    return total;
  };
  visit(profile.nodes[0] as ProfileNode, new Set(), undefined);
  return [...times.values()].sort((a, b) => b.self - a.self);
}

function nativeFrom(caller: FunctionTime | undefined): string {
  return caller === undefined || caller.name === "(root)" ? "native" : `native, from ${caller.name} ${caller.file}`;
}

/** Sums the samples by line of one script, counted from 0; most first. */
export function lineTicks(
  profile: CpuProfile,
  isScript: (frame: CallFrame) => boolean,
): [line: number, ticks: number][] {
  const ticks = new Map<number, number>();
  for (const { callFrame, positionTicks } of profile.nodes)
    if (isScript(callFrame))
      for (const { line, ticks: more } of positionTicks ?? []) ticks.set(line - 1, (ticks.get(line - 1) ?? 0) + more);
  return [...ticks].sort((a, b) => b[1] - a[1]);
}

/** Keeps a profile for Chrome's developer tools. */
export async function saveProfile(path: string, profile: CpuProfile): Promise<void> {
  await writeFile(path, JSON.stringify(profile));
  console.log(`\nthe whole profile: ${path}`);
}
