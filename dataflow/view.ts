/** View rows: a group of a window rendered as the JSON that `/v1/views` shows. */

import { floatJson } from "../sdk/exact.ts";
import type { FlowPlan, OutputPlan } from "./plan.ts";

/** The kernels' type of the same name. */
export interface Measure {
  readonly sum: bigint | number;
  readonly min: bigint | number;
  readonly max: bigint | number;
}
/** The kernels' type of the same name. */
export interface WindowGroup {
  readonly key: bigint | string;
  /** Window start in milliseconds. */
  readonly start: bigint;
  readonly count: bigint;
  readonly measures: readonly Measure[];
}

/**
 * JSON text `{"key":…,"window":{"start":…,"end":…},…outputs,"final":…}`. Whole numbers are written out exactly, however large;
 * a float64 that overflowed is `null`, since JSON has no infinity.
 * @param final whether the window is closed
 */
export function renderRow(plan: FlowPlan, group: WindowGroup, final: boolean): string {
  if (group.measures.length !== plan.window.measures.length) throw new Error("the group was made by another plan");
  const end = group.start + BigInt(plan.window.size);
  let text = `{"key":${number(group.key)},"window":{"start":${group.start},"end":${end}}`;
  for (const output of plan.outputs) text += `,${JSON.stringify(output.name)}:${number(valueOf(output, group))}`;
  return `${text},"final":${final}}`;
}

function valueOf(output: OutputPlan, group: WindowGroup): bigint | number {
  if (output.kind === "count") return group.count;
  const measure = group.measures[output.measure];
  if (measure === undefined) throw new Error(`the group lacks measure ${output.measure}`);
  return measure[output.kind];
}

function number(value: bigint | number | string): string {
  return typeof value === "number"
    ? floatJson(value)
    : typeof value === "bigint"
      ? value.toString()
      : JSON.stringify(value);
}
