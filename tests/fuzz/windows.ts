/** Fuzzing of windows: batches, marks of time, deltas and crafted bytes in any order, byte for byte as the twin; and their state again from its deltas. */
import { decodeColumns, encodeColumns } from "../../core-wasm/reference/columns.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import type { Kernels, WindowPlan, WindowState } from "../../core-wasm/types.ts";
import { COLUMNS_LABEL, craft, GROUPS_LABEL } from "../core-wasm/support/crafted.ts";
import { type Random, random as seeded } from "../core-wasm/support/random.ts";
import { COLUMNS, INT64_MAX, INT64_MIN, randomBatch, randomPlan } from "../core-wasm/support/windows.ts";
import { differ, outcomeOf, plain, type Target, without } from "./target.ts";

type Step =
  | { readonly kind: "apply"; readonly frame: Uint8Array; readonly watermark: bigint }
  | { readonly kind: "close"; readonly watermark: bigint }
  | { readonly kind: "delta" }
  /** A snapshot, crafted by this seed. */
  | { readonly kind: "load"; readonly seed: number };
interface Case {
  readonly plan: WindowPlan;
  readonly steps: readonly Step[];
}

const twin = createReferenceKernels();

function watermarkAt(time: bigint, random: Random): bigint {
  if (random.int(5) > 0) return time - 30n;
  return random.pick([time - 100n, time - 20n, time + 10n, time + 70n, INT64_MIN, INT64_MAX, INT64_MAX + 1n, 0n]);
}

function stepAt(time: bigint, random: Random): Step {
  const kind = random.int(10);
  if (kind < 6) {
    const frame = randomBatch(random, time);
    const crafted = random.int(6) === 0 ? craft(frame, COLUMNS_LABEL, random) : frame;
    return { kind: "apply", frame: crafted, watermark: watermarkAt(time, random) };
  }
  if (kind < 8) return { kind: "close", watermark: watermarkAt(time, random) };
  return kind === 8 ? { kind: "delta" } : { kind: "load", seed: 1 + random.int(1 << 30) };
}

function perform(kernels: Kernels, state: WindowState, step: Step, snapshot: Uint8Array): unknown {
  if (step.kind === "apply") return outcomeOf(() => state.apply(step.frame, step.watermark));
  if (step.kind === "close") return state.close(step.watermark);
  if (step.kind === "delta") return state.takeDelta();
  const bytes = craft(snapshot, GROUPS_LABEL, seeded(step.seed));
  return [outcomeOf(() => state.load(bytes)), outcomeOf(() => kernels.readGroups(bytes))];
}

/** The twin decodes texts; the kernel takes bytes as they are. What follows cannot be compared. */
const isNoUtf8 = (outcome: unknown): boolean => plain(outcome).includes("TypeError");

/** @returns what differs, or null */
function follow(kernels: Kernels, state: WindowState, follower: WindowState, { plan, steps }: Case): string | null {
  const expected = twin.openWindow(plan);
  let snapshot = expected.snapshot();
  let loaded = false;
  for (const [at, step] of steps.entries()) {
    const outcome = perform(twin, expected, step, snapshot);
    if (isNoUtf8(outcome)) return null;
    const found = perform(kernels, state, step, snapshot);
    snapshot = expected.snapshot();
    const wrong =
      differ(found, outcome) ??
      differ(state.groups, expected.groups) ??
      differ(state.snapshot(), snapshot) ??
      differ(kernels.readGroups(snapshot), twin.readGroups(snapshot));
    if (wrong !== null) return `step ${at}: ${wrong}`;
    // What was loaded is in no delta.
    loaded ||= step.kind === "load";
    if (step.kind !== "delta" || loaded) continue;
    follower.load(found as Uint8Array);
    const behind = differ(follower.snapshot(), snapshot);
    if (behind !== null) return `from its deltas, step ${at}: ${behind}`;
  }
  return null;
}

/** The same batches with a row less, or many. */
function* fewerRows(step: Step): Iterable<Step> {
  if (step.kind !== "apply") return;
  let cells: ReturnType<typeof decodeColumns>;
  try {
    cells = decodeColumns(step.frame);
  } catch {
    return;
  }
  for (const rows of without(Array.from({ length: cells.rows }, (_, row) => row))) {
    const columns = cells.columns.map((column) => rows.map((row) => column.cells[row] ?? null));
    yield { ...step, frame: encodeColumns(COLUMNS, columns, rows.length) };
  }
}

export const windows: Target<Case> = {
  make(random) {
    let time = BigInt(random.int(1000)) - 500n;
    const plan = randomPlan(random);
    const steps = Array.from({ length: 1 + random.int(8) }, () => stepAt((time += BigInt(random.int(40))), random));
    return { plan, steps };
  },
  check({ kernels }, item) {
    const [state, follower] = [kernels.openWindow(item.plan), kernels.openWindow(item.plan)];
    try {
      return follow(kernels, state, follower, item);
    } finally {
      state.free();
      follower.free();
    }
  },
  *smaller({ plan, steps }) {
    for (const fewer of without(steps)) yield { plan, steps: fewer };
    for (const filter of without(plan.filter)) yield { plan: { ...plan, filter }, steps };
    for (const measures of without(plan.measures)) yield { plan: { ...plan, measures }, steps };
    for (const [at, step] of steps.entries())
      for (const less of fewerRows(step)) yield { plan, steps: steps.with(at, less) };
  },
  show: plain,
};
