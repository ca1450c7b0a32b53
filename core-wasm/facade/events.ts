/** Event batches to columns frames in Wasm, slice by slice. */
import {
  EVENT_FRAME_ROOM,
  EVENT_SLICE_BYTES,
  MAX_EVENT_BODY_BYTES,
  MAX_KEPT_EVENT_BUFFER,
  MAX_KEPT_FRAME,
  MAX_TABLE_TAIL_INSIDE,
} from "../limits.ts";
import { ATTRIBUTES, ID_ATTRIBUTE, SOURCE_ATTRIBUTE } from "../cloud-event.ts";
import type { EventColumn, EventFormat, EventIdentity, ParsedEvents, ParseOptions } from "../types.ts";
import { declarationOf, declare, type DeclareFunctions } from "./declaration.ts";
import type { CoreInstance } from "./instance.ts";
import { faultWord, lineAt } from "./json.ts";
import { seal } from "./digest.ts";
import { forgetFrame, keepFrame } from "./kept-frame.ts";

interface EventFunctions extends DeclareFunctions {
  eventsRoom(bytes: number): number;
  eventsTake(bytes: number, last: number): number;
  eventsHeld(): number;
  eventsEnd(whole: number, keepBuffer: number): number;
  eventsFrame(): number;
  eventsRows(): number;
  eventsFingerprintLow(): number;
  eventsFingerprintHigh(): number;
  eventsFaultLine(): number;
  eventsFaultAt(): number;
  eventsFaultColumn(): number;
  eventsAttributeAt(index: number): number;
  eventsAttributeLength(index: number): number;
  eventsClose(keepBuffer: number, keepFrame: number): void;
  keptFrame(): number;
  firstPiece(): number;
  hasPieces(column: number): number;
  pieceEnds(column: number): number;
  pieceStrings(column: number): number;
  pieceHeap(column: number): number;
  pieceHeapBytes(column: number): number;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The error for a body beyond MAX_EVENT_BODY_BYTES. */
export function bodyTooLarge(bytes: number): RangeError {
  return new RangeError(`body-too-large: ${bytes} bytes, at most ${MAX_EVENT_BODY_BYTES}`);
}

/** See {@link Kernels.parseEvents}. `slice`, a multiple of 32, is the bytes of the body that are in Wasm memory at a time; any gives the same result. */
export function parseEvents(
  core: CoreInstance,
  body: Uint8Array,
  columns: readonly EventColumn[],
  format: EventFormat = "ndjson",
  { slice = EVENT_SLICE_BYTES, spend = false, only, repeats = false }: ParseOptions & { readonly slice?: number } = {},
): ParsedEvents {
  const declaration = declarationOf(columns, format, only);
  if (body.length > MAX_EVENT_BODY_BYTES) throw bodyTooLarge(body.length);
  const kernels = core.functions<EventFunctions>();
  forgetFrame(core);
  declare(kernels, () => core.u8, { length: body.length, repeats }, declaration);
  let frame: Uint8Array | null = null;
  try {
    let at = 0;
    do {
      // An event longer than a slice is read again with each: if as much again is taken each time, the whole stays linear.
      const bytes = Math.min(Math.max(slice, slice * Math.floor(kernels.eventsHeld() / slice)), body.length - at);
      const room = kernels.eventsRoom(bytes);
      core.u8.set(bytes === body.length ? body : body.subarray(at, at + bytes), room);
      at += bytes;
      const code = kernels.eventsTake(bytes, at === body.length ? 1 : 0);
      if (code !== 0) return refusal(kernels, code, body, columns, format);
    } while (at < body.length);
    const identity = format === "cloudevent" ? { identity: identityOf(kernels, body) } : {};
    const result = parsed(core, kernels, columns.length, spend ? body : null);
    frame = result.frame;
    return { ...result, ...identity };
  } finally {
    kernels.eventsClose(MAX_KEPT_EVENT_BUFFER, frame === null ? 0 : MAX_KEPT_FRAME);
    const at = kernels.keptFrame();
    if (frame !== null && at !== 0) keepFrame(core, frame, at);
  }
}

function refusal(
  kernels: EventFunctions,
  code: number,
  body: Uint8Array,
  columns: readonly EventColumn[],
  format: EventFormat,
): ParsedEvents {
  const index = kernels.eventsFaultColumn();
  const offset = kernels.eventsFaultAt() >>> 0;
  const line = format === "ndjson" ? kernels.eventsFaultLine() >>> 0 : lineAt(body, offset);
  const field = index >= 0 ? columns[index]?.name : ATTRIBUTES[-2 - index];
  const place = { line, offset, code: faultWord(code) };
  return { ok: false, fault: field === undefined ? place : { ...place, field } };
}

type Parsed = Extract<ParsedEvents, { ok: true }>;

/** @param spent what may be given back */
function parsed(core: CoreInstance, kernels: EventFunctions, columns: number, spent: Uint8Array | null): Parsed {
  const length = kernels.eventsEnd(MAX_KEPT_FRAME, MAX_KEPT_EVENT_BUFFER);
  const found = {
    ok: true,
    rows: kernels.eventsRows() >>> 0,
    fingerprint: [kernels.eventsFingerprintLow() >>> 0, kernels.eventsFingerprintHigh() >>> 0],
  } as const;
  if (kernels.firstPiece() === 0) {
    const at = kernels.eventsFrame();
    if (length <= MAX_TABLE_TAIL_INSIDE) return { ...found, frame: core.copy(at, length) };
    const memory = new Uint8Array(EVENT_FRAME_ROOM + length);
    memory.set(core.u8.subarray(at, at + length), EVENT_FRAME_ROOM);
    return { ...found, frame: memory.subarray(EVENT_FRAME_ROOM), room: EVENT_FRAME_ROOM };
  }
  if (spent === null) return { ...found, frame: putTogether(core, kernels, columns, new Uint8Array(length)) };
  giveBack(spent);
  const memory = new Uint8Array(EVENT_FRAME_ROOM + length);
  return {
    ...found,
    frame: putTogether(core, kernels, columns, memory.subarray(EVENT_FRAME_ROOM)),
    room: EVENT_FRAME_ROOM,
  };
}

/** Gives memory back now, not when it is collected. */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** A long frame from its pieces: put together in Wasm memory it would be there twice. */
function putTogether(core: CoreInstance, kernels: EventFunctions, columns: number, frame: Uint8Array): Uint8Array {
  let at = 0;
  const put = (from: number, bytes: number): void => {
    frame.set(core.u8.subarray(from, from + bytes), at);
    at += bytes;
  };
  put(kernels.eventsFrame(), kernels.firstPiece());
  for (let column = 0; column < columns; column++) {
    if (kernels.hasPieces(column) === 0) continue;
    core.resetScratch();
    put(kernels.pieceEnds(column), 4 * kernels.pieceStrings(column));
    put(kernels.pieceHeap(column), kernels.pieceHeapBytes(column));
    at = Math.ceil(at / 8) * 8;
  }
  core.resetScratch();
  seal(core, frame);
  return frame;
}

/** Both attributes were checked to be strings. */
function identityOf(kernels: EventFunctions, body: Uint8Array): EventIdentity {
  const value = (index: number): string => {
    const at = kernels.eventsAttributeAt(index) >>> 0;
    const quoted = body.subarray(at - 1, at + kernels.eventsAttributeLength(index) + 1);
    return JSON.parse(decoder.decode(quoted)) as string;
  };
  return { source: value(SOURCE_ATTRIBUTE), id: value(ID_ATTRIBUTE) };
}
