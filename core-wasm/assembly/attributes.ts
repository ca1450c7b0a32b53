/** Attributes of a CloudEvents 1.0 envelope in JSON format: strings beside the event's data, checked and not kept. */
import { MISSING, NOT_JSON, UNSUPPORTED, WRONG_TYPE, WRONG_VERSION } from "./json/fault";

/** Numbers of the attributes; facade/declaration.ts has the same. */
const VERSION: u32 = 0;
const ID: u32 = 1;
const SOURCE: u32 = 2;
const TYPE: u32 = 3;
const CONTENT_TYPE: u32 = 4;
const BINARY_DATA: u32 = 5;
const ATTRIBUTES: u32 = 6;
const REQUIRED: u32 = (1 << VERSION) | (1 << ID) | (1 << SOURCE) | (1 << TYPE);

const NULL: u32 = 0;
const STRING: u32 = 1;
const OTHER: u32 = 2;

@unmanaged
class Attribute {
  kind: u32;
  /** Of the inside of a string, otherwise of the value. */
  at: usize;
  length: u32;
  unused: u32;
}
const attributes = memory.data(96); // ATTRIBUTES * offsetof<Attribute>()

let wanted: bool = false;

function attribute(index: u32): Attribute {
  return changetype<Attribute>(attributes + ((<usize>index) << 4));
}

/** Events have no envelope until an attribute is wanted. */
export function resetAttributes(): void {
  wanted = false;
}

export function wantAttribute(index: u32): void {
  assert(index < ATTRIBUTES);
  wanted = true;
}

/** Starts an event. */
export function beginAttributes(): void {
  if (!wanted) return;
  for (let i: u32 = 0; i < ATTRIBUTES; i++) attribute(i).kind = NULL;
}

/** Notes a string by its inside; of duplicates the last counts. */
export function noteString(index: u32, at: usize, length: usize): void {
  const it = attribute(index);
  it.kind = STRING;
  it.at = at;
  it.length = <u32>length;
}

/** Notes a null, which is as good as nothing. */
export function noteNull(index: u32): void {
  attribute(index).kind = NULL;
}

/** Notes any other value. */
export function noteOther(index: u32, at: usize): void {
  const it = attribute(index);
  it.kind = OTHER;
  it.at = at;
}

export function attributeAt(index: u32): usize {
  return attribute(index).at;
}

export function attributeLength(index: u32): u32 {
  return attribute(index).kind == STRING ? attribute(index).length : 0;
}

/** The first attribute that `checkAttributes` found at fault, and where; 0 when it is the whole event. */
export let attributeAtFault: u32 = 0;
export let attributeFaultAt: usize = 0;

function fault(index: u32, why: u32, at: usize): u32 {
  attributeAtFault = index;
  attributeFaultAt = at;
  return why;
}

/** Whether a media type is JSON: its part before parameters ends with `/json` or `+json`. */
function isJsonType(at: usize, length: usize): bool {
  let end = at;
  while (end < at + length && load<u8>(end) != 0x3b) end++;
  while (end > at && load<u8>(end - 1) == 0x20) end--;
  if (end - at < 5) return false;
  const mark: u32 = load<u8>(end - 5);
  // The letters of "json", in whichever case.
  return (mark == 0x2f || mark == 0x2b) && (load<u32>(end - 4) | 0x20202020) == 0x6e6f736a;
}

/** Checks the envelope of the event that was read: 0, or what is wrong with `attributeAtFault`. */
export function checkAttributes(): u32 {
  if (!wanted) return 0;
  for (let i: u32 = 0; i < ATTRIBUTES; i++) {
    const it = attribute(i);
    if (it.kind == NULL) {
      if ((REQUIRED >>> i) & 1) return fault(i, MISSING, 0);
      continue;
    }
    const at = it.kind == STRING ? it.at - 1 : it.at;
    if (i == BINARY_DATA) return fault(i, UNSUPPORTED, at);
    if (it.kind != STRING || it.length == 0) return fault(i, WRONG_TYPE, at);
    // "1.0"
    if (i == VERSION && (it.length != 3 || (load<u32>(it.at) & 0xffffff) != 0x302e31))
      return fault(i, WRONG_VERSION, at);
    if (i == CONTENT_TYPE && !isJsonType(it.at, it.length)) return fault(i, NOT_JSON, at);
  }
  return 0;
}
