/** The lines of a batch that are not to run, since its caller may not run them or what they bring is too large: taken out of the frames before these are sent. */
import type { Kernels, RoutedFrame } from "../../core-wasm/types.ts";
import { fitsUtf8 } from "../../sdk/utf8.ts";
import { INVOKE, INVOKE_COLUMN, INVOKE_FIELD } from "../../protocol/wire/invoke.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import type { Caller } from "../../sdk/caller.ts";
import { mayCall } from "../door/rules.ts";
import { limitOf } from "../limits.ts";

export interface AllowedFrames {
  readonly frames: readonly RoutedFrame[];
  /** Numbers of the lines that are not in the frames any more: the caller may not run them. */
  readonly denied: readonly number[];
  /** Neither are these: their inputs are larger than the body of a call may be. */
  readonly tooLarge: readonly number[];
}

interface Removed {
  readonly denied: number[];
  readonly tooLarge: number[];
}

/** Frames that lose nothing stay the bytes that they are. What the app does not have is nobody's but the owner's. */
export function allowedFrames(
  kernels: Kernels,
  app: AppDefinition,
  caller: Caller,
  frames: readonly RoutedFrame[],
): AllowedFrames {
  const removed: Removed = { denied: [], tooLarge: [] };
  const most = limitOf(app, "callBytes");
  // No line is larger than its frame.
  const maybeTooLarge = ({ bytes }: RoutedFrame): boolean => bytes.length > most;
  const left = frames.map((frame) => {
    if (caller.kind === "owner" && !maybeTooLarge(frame)) return frame;
    return allowedFrame(kernels, app, caller, frame, maybeTooLarge(frame) ? most : Infinity, removed);
  });
  return { frames: left.filter(({ rows }) => rows > 0), ...removed };
}

function allowedFrame(
  kernels: Kernels,
  app: AppDefinition,
  caller: Caller,
  frame: RoutedFrame,
  most: number,
  { denied, tooLarge }: Removed,
): RoutedFrame {
  const table = kernels.unpack(INVOKE, frame.bytes);
  const rows: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    const [service, name] = [table.field(row, INVOKE_FIELD.service), table.field(row, INVOKE_FIELD.function)];
    const line = table.column(row, INVOKE_COLUMN.line);
    if (!mayCall(app, caller, service, table.field(row, INVOKE_FIELD.key), name)) denied.push(line);
    else if (most < Infinity && !fitsUtf8(table.field(row, INVOKE_FIELD.input), most)) tooLarge.push(line);
    else rows.push(row);
  }
  if (rows.length === table.rows) return frame;
  const columns = rows.flatMap((row) => Array.from({ length: INVOKE.columns }, (_, at) => table.column(row, at)));
  const fields = rows.flatMap((row) => Array.from({ length: INVOKE.fields }, (_, at) => table.field(row, at)));
  const bytes = kernels.pack(INVOKE, { rows: rows.length, columns, fields });
  return { partition: frame.partition, rows: rows.length, bytes };
}
