/** What is fuzzed by cases: each is made from a seed, done by the kernel, and held against a judge. What fails is made smaller, and shown. */
import { CoreInstance } from "../../core-wasm/facade/instance.ts";
import { kernelsOf } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import type { Kernels } from "../../core-wasm/types.ts";
import type { Random } from "../core-wasm/support/random.ts";

/** Wasm memory that small cases may ever take, however many there are. */
const MOST_MEMORY = 16 * 1024 * 1024;
/** Rounds that an instance of the core lives: so many have to be repeated at most where a failure hangs on what was before. */
const ROUNDS_OF_AN_INSTANCE = 1_000;
/** Smaller cases that are tried, and for how long. */
const MOST_TRIES = 3_000;
const MOST_TIME_MS = 20_000;

/** Where a case is done. */
export interface Subject {
  readonly core: CoreInstance;
  /** Those of the core. */
  readonly kernels: Kernels;
}

export interface Target<Case> {
  make(random: Random): Case;
  /** What is wrong, or null. */
  check(subject: Subject, item: Case): string | null;
  /** Smaller ones, the smallest first. */
  smaller(item: Case): Iterable<Case>;
  /** The whole of it, so that it can be made again. */
  show(item: Case): string;
}

const module = loadCore();

function fresh(): Subject {
  const core = new CoreInstance(module);
  return { core, kernels: kernelsOf(core) };
}

/** Also where the kernel traps, or throws what no caller expects. */
function wrongWith<Case>(target: Target<Case>, subject: Subject, item: Case): string | null {
  try {
    return target.check(subject, item);
  } catch (error) {
    return String(error);
  }
}

/** The smallest case found that fails too, on an instance of its own. */
function smallest<Case>(target: Target<Case>, item: Case, wrong: string): { item: Case; wrong: string } {
  let found = { item, wrong };
  const until = performance.now() + MOST_TIME_MS;
  for (let tries = 0, better = true; better;) {
    better = false;
    for (const next of target.smaller(found.item)) {
      if (++tries > MOST_TRIES || performance.now() > until) return found;
      const also = wrongWith(target, fresh(), next);
      if (also === null) continue;
      found = { item: next, wrong: also };
      better = true;
      break;
    }
  }
  return found;
}

/** Rounds of one case each. A round throws what is wrong, with the smallest case that shows it. */
export function targetFuzz<Case>(target: Target<Case>): (random: Random, seed: number) => number {
  let subject = fresh();
  let since = Number.NaN;
  return (random, seed) => {
    if (!(seed - since < ROUNDS_OF_AN_INSTANCE)) {
      subject = fresh();
      since = seed;
    }
    const item = target.make(random);
    const wrong = wrongWith(target, subject, item) ?? tooMuch(subject);
    if (wrong === null) return 1;
    const again = wrongWith(target, fresh(), item);
    if (again === null)
      throw new Error(`${wrong}, behind others only (begin with --seed ${since}): ${target.show(item)}`);
    const least = smallest(target, item, again);
    throw new Error(`${least.wrong}: ${target.show(least.item)}`);
  };
}

function tooMuch({ core }: Subject): string | null {
  return core.memoryBytes > MOST_MEMORY ? `small cases have taken ${core.memoryBytes} bytes of memory` : null;
}

/** A list without a half of it, without a quarter, … without one item. */
export function* without<T>(list: readonly T[]): Iterable<T[]> {
  for (let size = Math.ceil(list.length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < list.length; at += size) yield [...list.slice(0, at), ...list.slice(at + size)];
  }
}

export function* withoutBytes(bytes: Uint8Array): Iterable<Uint8Array> {
  for (const fewer of without([...bytes])) yield Uint8Array.from(fewer);
}

/** Both as text, when they are not the same. */
export function differ(found: unknown, expected: unknown): string | null {
  const [ours, theirs] = [plain(found), plain(expected)];
  return ours === theirs ? null : `${ours} instead of ${theirs}`;
}

/** As text that tells apart what is not the same: negative zeros, numbers of both kinds, bytes. */
export function plain(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) => {
    if (typeof inner === "bigint") return `${inner}n`;
    if (typeof inner === "number" && (Object.is(inner, -0) || !Number.isFinite(inner)))
      return Object.is(inner, -0) ? "-0" : String(inner);
    if (inner instanceof Uint8Array) return `0x${Buffer.from(inner).toString("hex")}`;
    if (ArrayBuffer.isView(inner)) return [...(inner as unknown as Iterable<number>)];
    // Members in one order.
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner))
      return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
    return inner;
  });
}

/** What comes of it, or how it is refused. A trap of the kernel is no refusal. */
export function outcomeOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || !(error instanceof Error)) throw error;
    return `${error.name} ${"reason" in error ? String(error.reason) : error.message}`;
  }
}
