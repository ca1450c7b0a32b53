/** Event batches to columns frames in Wasm, slice by slice. */
import { EVENT_SLICE_BYTES, MAX_EVENT_BODY_BYTES, MAX_KEPT_EVENT_BUFFER, MAX_KEPT_FRAME } from "../limits.ts";
import type { EventColumn, ParsedEvents } from "../types.ts";
import { checkColumns } from "../window-plan.ts";
import type { CoreInstance } from "./instance.ts";
import { faultWord } from "./json.ts";
import { forgetFrame, keepFrame } from "./kept-frame.ts";
import { TYPE_NUMBERS } from "./plan.ts";

interface EventFunctions {
  eventsBegin(bodyLength: number, nameBytes: number): number;
  eventsColumn(type: number, name: number, length: number): void;
  eventsRoom(bytes: number): number;
  eventsTake(bytes: number, last: number): number;
  eventsEnd(): number;
  eventsFrame(): number;
  eventsRows(): number;
  eventsFingerprintLow(): number;
  eventsFingerprintHigh(): number;
  eventsFaultLine(): number;
  eventsFaultAt(): number;
  eventsFaultColumn(): number;
  eventsClose(keepBuffer: number, keepFrame: number): void;
  keptFrame(): number;
}

const encoder = new TextEncoder();

/** The error for a body beyond MAX_EVENT_BODY_BYTES. */
export function bodyTooLarge(bytes: number): RangeError {
  return new RangeError(`body-too-large: ${bytes} bytes, at most ${MAX_EVENT_BODY_BYTES}`);
}

/** See {@link Kernels.parseEvents}. `slice`, a multiple of 32, is the bytes of the body that are in Wasm memory at a time; any gives the same result. */
export function parseEvents(
  core: CoreInstance,
  body: Uint8Array,
  columns: readonly EventColumn[],
  slice: number = EVENT_SLICE_BYTES,
): ParsedEvents {
  const declaration = declarationOf(columns);
  if (body.length > MAX_EVENT_BODY_BYTES) throw bodyTooLarge(body.length);
  const kernels = core.functions<EventFunctions>();
  forgetFrame(core);
  declare(core, kernels, body.length, declaration);
  let frame: Uint8Array | null = null;
  try {
    let at = 0;
    do {
      const bytes = Math.min(slice, body.length - at);
      const room = kernels.eventsRoom(bytes);
      core.u8.set(bytes === body.length ? body : body.subarray(at, at + bytes), room);
      at += bytes;
      const code = kernels.eventsTake(bytes, at === body.length ? 1 : 0);
      if (code !== 0) return refusal(kernels, code, columns);
    } while (at < body.length);
    const result = parsed(core, kernels);
    frame = result.frame;
    return result;
  } finally {
    kernels.eventsClose(MAX_KEPT_EVENT_BUFFER, frame === null ? 0 : MAX_KEPT_FRAME);
    const at = kernels.keptFrame();
    if (frame !== null && at !== 0) keepFrame(core, frame, at);
  }
}

/** Declared columns as the kernel takes them. */
interface Declaration {
  /** The names' UTF-8, one behind the other. */
  readonly names: Uint8Array;
  readonly columns: readonly { readonly type: number; readonly bytes: number }[];
}

/** Streams declare their columns once and send many batches: the work per declaration is kept with its array, which is not to be changed. */
const declarations = new WeakMap<readonly EventColumn[], Declaration>();

function declarationOf(columns: readonly EventColumn[]): Declaration {
  const known = declarations.get(columns);
  if (known !== undefined) return known;
  checkColumns(columns);
  const made = {
    names: encoder.encode(columns.map(({ name }) => name).join("")),
    columns: columns.map(({ name, type }) => ({ type: TYPE_NUMBERS[type], bytes: encoder.encode(name).length })),
  };
  declarations.set(columns, made);
  return made;
}

function declare(core: CoreInstance, kernels: EventFunctions, bodyLength: number, declaration: Declaration): void {
  let at = kernels.eventsBegin(bodyLength, declaration.names.length);
  core.u8.set(declaration.names, at);
  for (const { type, bytes } of declaration.columns) {
    kernels.eventsColumn(type, at, bytes);
    at += bytes;
  }
}

function refusal(kernels: EventFunctions, code: number, columns: readonly EventColumn[]): ParsedEvents {
  const column = columns[kernels.eventsFaultColumn()];
  const place = {
    line: kernels.eventsFaultLine() >>> 0,
    offset: kernels.eventsFaultAt() >>> 0,
    code: faultWord(code),
  };
  return { ok: false, fault: column === undefined ? place : { ...place, field: column.name } };
}

function parsed(core: CoreInstance, kernels: EventFunctions): Extract<ParsedEvents, { ok: true }> {
  const length = kernels.eventsEnd();
  return {
    ok: true,
    rows: kernels.eventsRows() >>> 0,
    frame: core.copy(kernels.eventsFrame(), length),
    fingerprint: [kernels.eventsFingerprintLow() >>> 0, kernels.eventsFingerprintHigh() >>> 0],
  };
}
