/** Event batches to columns frames in Wasm, slice by slice. */
import { EVENT_SLICE_BYTES, MAX_EVENT_BODY_BYTES, MAX_KEPT_EVENT_BUFFER } from "../limits.ts";
import type { EventColumn, ParsedEvents } from "../types.ts";
import { checkColumns } from "../window-plan.ts";
import type { CoreInstance } from "./instance.ts";
import { faultWord } from "./json.ts";
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
  eventsClose(keep: number): void;
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
  checkColumns(columns);
  if (body.length > MAX_EVENT_BODY_BYTES) throw bodyTooLarge(body.length);
  const kernels = core.functions<EventFunctions>();
  declare(core, kernels, body.length, columns);
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
    return parsed(core, kernels);
  } finally {
    kernels.eventsClose(MAX_KEPT_EVENT_BUFFER);
  }
}

function declare(
  core: CoreInstance,
  kernels: EventFunctions,
  bodyLength: number,
  columns: readonly EventColumn[],
): void {
  const names = columns.map(({ name }) => encoder.encode(name));
  let at = kernels.eventsBegin(
    bodyLength,
    names.reduce((sum, name) => sum + name.length, 0),
  );
  for (const [i, name] of names.entries()) {
    const column = columns[i] as EventColumn;
    core.u8.set(name, at);
    kernels.eventsColumn(TYPE_NUMBERS[column.type], at, name.length);
    at += name.length;
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

function parsed(core: CoreInstance, kernels: EventFunctions): ParsedEvents {
  const length = kernels.eventsEnd();
  return {
    ok: true,
    rows: kernels.eventsRows() >>> 0,
    frame: core.copy(kernels.eventsFrame(), length),
    fingerprint: [kernels.eventsFingerprintLow() >>> 0, kernels.eventsFingerprintHigh() >>> 0],
  };
}
