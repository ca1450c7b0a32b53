/** Lists of numbers as they are packed into rows. docs/formats.md, "Rows". */

/** Fewer numbers than this are written in decimal: small batches are common, and base64 has a cost of its own. */
const FEW = 48;

export type Packed = readonly number[] | string;

export function packNumbers(values: Float64Array | Uint32Array): Packed {
  return values.length < FEW ? Array.from(values) : (narrowed(values) ?? toBase64(values));
}
export function unpackNumbers(packed: Packed): Float64Array {
  if (typeof packed !== "string") return Float64Array.from(packed);
  const narrow = widened(packed);
  if (narrow === null) return new Float64Array(fromBase64(packed));
  const { steps, least } = narrow;
  const values = new Float64Array(steps.length);
  for (let at = 0; at < steps.length; at++) values[at] = least + (steps[at] as number);
  return values;
}

export function unpackWords(packed: Packed): Uint32Array {
  if (typeof packed !== "string") return Uint32Array.from(packed);
  const narrow = widened(packed);
  if (narrow === null) return new Uint32Array(fromBase64(packed));
  const { steps, least } = narrow;
  const values = new Uint32Array(steps.length);
  for (let at = 0; at < steps.length; at++) values[at] = least + (steps[at] as number);
  return values;
}

export function packBytes(values: Uint8Array): Packed {
  return values.length < FEW ? Array.from(values) : toBase64(values);
}
export function unpackBytes(packed: Packed): Uint8Array {
  return typeof packed === "string" ? new Uint8Array(fromBase64(packed)) : Uint8Array.from(packed);
}

type Steps = Uint8Array | Uint16Array | Uint32Array;
const STEPS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array } as const;
/** Stands behind the bytes of a step and behind the least number; base64 has none. */
const MARK = ":";

/** Whole numbers that are near each other, as steps above the least: a quarter of the text or less. Null for others. */
function narrowed(values: Float64Array | Uint32Array): string | null {
  let least = values[0] as number;
  let most = least;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (value < least) least = value;
    else if (value > most) most = value;
    if (value !== Math.floor(value) || Object.is(value, -0)) return null;
  }
  const range = most - least;
  if (!Number.isSafeInteger(least) || !Number.isSafeInteger(most) || range >= 2 ** 32) return null;
  const bytes = range < 2 ** 8 ? 1 : range < 2 ** 16 ? 2 : 4;
  const steps: Steps = new STEPS[bytes](values.length);
  for (let at = 0; at < values.length; at++) steps[at] = (values[at] as number) - least;
  return bytes + MARK + least + MARK + toBase64(steps);
}

function widened(text: string): { readonly steps: Steps; readonly least: number } | null {
  if (text[1] !== MARK) return null;
  const bytes = Number(text[0]) as keyof typeof STEPS;
  const end = text.indexOf(MARK, 2);
  return { steps: new STEPS[bytes](fromBase64(text.slice(end + 1))), least: Number(text.slice(2, end)) };
}

interface NativeBase64 {
  toBase64?(): string;
}
const native = (Uint8Array as unknown as { fromBase64?(text: string): Uint8Array }).fromBase64;
const CHUNK = 8_192;

function toBase64(array: Float64Array | Steps): string {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const own = (bytes as NativeBase64).toBase64;
  if (own !== undefined) return own.call(bytes);
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}

function fromBase64(text: string): ArrayBuffer {
  if (native !== undefined) {
    const bytes = native.call(Uint8Array, text);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  }
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes.buffer;
}
