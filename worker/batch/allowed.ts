/** The lines of a batch that its caller may not run: taken out of the frames before these are sent. */
import type { Kernels, RoutedFrame } from "../../core-wasm/types.ts";
import { INVOKE, INVOKE_COLUMN, INVOKE_FIELD } from "../../protocol/wire/invoke.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import type { Caller } from "../../sdk/caller.ts";
import { mayCall } from "../door/rules.ts";

export interface AllowedFrames {
  readonly frames: readonly RoutedFrame[];
  /** Numbers of the lines that are not in the frames any more. */
  readonly denied: readonly number[];
}

/** Frames that lose nothing stay the bytes that they are. What the app does not have is nobody's but the owner's. */
export function allowedFrames(
  kernels: Kernels,
  app: AppDefinition,
  caller: Caller,
  frames: readonly RoutedFrame[],
): AllowedFrames {
  if (caller.kind === "owner") return { frames, denied: [] };
  const denied: number[] = [];
  const left = frames.map((frame) => allowedFrame(kernels, app, caller, frame, denied));
  return { frames: left.filter(({ rows }) => rows > 0), denied };
}

function allowedFrame(
  kernels: Kernels,
  app: AppDefinition,
  caller: Caller,
  frame: RoutedFrame,
  denied: number[],
): RoutedFrame {
  const table = kernels.unpack(INVOKE, frame.bytes);
  const rows: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    const [service, name] = [table.field(row, INVOKE_FIELD.service), table.field(row, INVOKE_FIELD.function)];
    if (mayCall(app, caller, service, table.field(row, INVOKE_FIELD.key), name)) rows.push(row);
    else denied.push(table.column(row, INVOKE_COLUMN.line));
  }
  if (rows.length === table.rows) return frame;
  const columns = rows.flatMap((row) => Array.from({ length: INVOKE.columns }, (_, at) => table.column(row, at)));
  const fields = rows.flatMap((row) => Array.from({ length: INVOKE.fields }, (_, at) => table.field(row, at)));
  const bytes = kernels.pack(INVOKE, { rows: rows.length, columns, fields });
  return { partition: frame.partition, rows: rows.length, bytes };
}
