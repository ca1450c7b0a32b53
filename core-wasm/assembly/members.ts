/**
 * The member names of a stream's events: the declared ones, and others as they are met, each with the member that
 * followed it last. Producers write members in one order, so one 16-byte compare usually recognises `"name":`.
 * Each object that holds declared members, the event itself first, is a scope: its names are apart from those of others.
 *
 * ```
 * Member   0 `"name":` padded with zeros (80) | 80 fields (48)
 * ```
 */
import { columnData } from "./builder";
import { sameBytes } from "./bytes";
import { alloc, free } from "./memory";
import { scanString, stringEscaped } from "./json/string";
import { skipSpace, unexpected } from "./json/text";
import { unescapeString } from "./json/unescape";

/** Members known at most; further undeclared ones are scanned without being remembered. */
const MAX_MEMBERS: u32 = 64;
const PATTERN_BYTES: usize = 80;
const NOT_DECLARED: u32 = 0xffffffff;
/** Type of a member that no column asks for. */
export const UNDECLARED: u32 = 0;
/** Type of a member that is an object with declared members of its own. */
export const OBJECT: u32 = 16;
/** Type of an attribute of the envelope; its column is the attribute's number. */
export const ATTRIBUTE: u32 = 17;
/** Scopes at most; facade/declaration.ts has the same number. */
const MAX_SCOPES: u32 = 16;

@unmanaged
export class Member {
  pattern0: u64;
  pattern1: u64;
  pattern2: u64;
  pattern3: u64;
  pattern4: u64;
  pattern5: u64;
  pattern6: u64;
  pattern7: u64;
  pattern8: u64;
  pattern9: u64;
  /** A bit for each byte of the pattern's first 16. */
  bits: u32;
  /** Bytes of the pattern; its name is never predicted when it is 0. */
  length: u32;
  /** Index of the column, and of its bit in the masks of a row. */
  column: u32;
  /** I64, F64, TEXT, BOOL, OBJECT, ATTRIBUTE or UNDECLARED. */
  type: u32;
  /** Where the column's values are. */
  data: usize;
  /** The member that followed last. */
  next: Member;
  name: usize;
  nameLength: usize;
  /** The scope that it belongs to. */
  scope: u32;
  /** Objects: the scope of its members, and the bits of all columns in it. */
  inner: u32;
  mask: u32;
  unused: u32;
}

const members = memory.data(8192, 16); // MAX_MEMBERS * offsetof<Member>()
const sentinels = memory.data(4096, 16); // 2 * MAX_SCOPES * offsetof<Member>()
/** The object member of each scope; 0 for the event itself. */
const owners = memory.data(64); // 4 * MAX_SCOPES
let known: u32 = 0;
let scopes: u32 = 0;

/** Stands before the first member of a scope's object; its `next` is the member that objects begin with. */
export function startOf(scope: u32): Member {
  return changetype<Member>(sentinels + ((<usize>scope) << 8));
}

/** Any member of the scope that is not known. Its pattern matches nothing: no text has a zero byte. */
function otherOf(scope: u32): Member {
  return changetype<Member>(sentinels + ((<usize>scope) << 8) + 128);
}

export function memberAt(index: u32): Member {
  return changetype<Member>(members + ((<usize>index) << 7));
}

/** Forgets all members; scope 0, the event itself, is there again. */
export function resetMembers(): void {
  assert(offsetof<Member>() == 128);
  known = 0;
  scopes = 0;
  openScope(0);
}

function openScope(owner: usize): u32 {
  assert(scopes < MAX_SCOPES);
  const scope = scopes++;
  store<u32>(owners + ((<usize>scope) << 2), <u32>owner);
  makeUnpredicted(startOf(scope), scope);
  makeUnpredicted(otherOf(scope), scope);
  return scope;
}

function makeUnpredicted(member: Member, scope: u32): void {
  const at = changetype<usize>(member);
  memory.fill(at, 0, PATTERN_BYTES);
  member.bits = 0xffff;
  member.length = 0;
  member.column = NOT_DECLARED;
  member.type = UNDECLARED;
  member.scope = scope;
  member.inner = 0;
  member.mask = 0;
  member.next = otherOf(scope);
}

function makePattern(member: Member, name: usize, length: usize): void {
  const at = changetype<usize>(member);
  store<u8>(at, 0x22);
  memory.copy(at + 1, name, length);
  store<u16>(at + 1 + length, 0x3a22);
  member.length = <u32>length + 3;
  member.bits = (1 << min<u32>(16, member.length)) - 1;
}

/** Whether a name can stand in JSON as it is; otherwise it is only ever met escaped. */
function plainName(name: usize, length: usize): bool {
  for (let i: usize = 0; i < length; i++) {
    const byte = load<u8>(name + i);
    if (byte < 0x20 || byte == 0x22 || byte == 0x5c) return false;
  }
  return true;
}

/** Adds a declared member to a scope; its name's bytes must stay where they are. */
export function declareMember(scope: u32, name: usize, length: usize, column: u32, type: u32): void {
  const member = addMember(scope, name, length);
  member.column = column;
  member.type = type;
  if (type == ATTRIBUTE) return;
  const bit: u32 = 1 << column;
  for (let owner = ownerOf(scope); owner != 0; owner = ownerOf(changetype<Member>(owner).scope)) {
    changetype<Member>(owner).mask |= bit;
  }
}

/** Adds an object with declared members of its own; returns their scope. */
export function declareObject(scope: u32, name: usize, length: usize): u32 {
  const member = addMember(scope, name, length);
  member.type = OBJECT;
  member.inner = openScope(changetype<usize>(member));
  return member.inner;
}

function ownerOf(scope: u32): usize {
  return load<u32>(owners + ((<usize>scope) << 2));
}

function addMember(scope: u32, name: usize, length: usize): Member {
  assert(known < MAX_MEMBERS);
  const member = memberAt(known++);
  makeUnpredicted(member, scope);
  member.name = name;
  member.nameLength = length;
  if (length + 3 <= PATTERN_BYTES && plainName(name, length)) makePattern(member, name, length);
  return member;
}

/** Tells every column's member where its values are, after they have moved. */
export function placeMembers(): void {
  for (let i: u32 = 0; i < known; i++) {
    const member = memberAt(i);
    if (member.type != UNDECLARED && member.type < OBJECT) member.data = columnData(member.column);
  }
}

/** Behind the member's name, with quotes and colon, if it is what stands at `at`; otherwise 0. */
export function predicted(at: usize, member: Member): usize {
  const same = i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(changetype<usize>(member))));
  const bits = member.bits;
  if ((same & bits) != bits) return 0;
  const length = member.length;
  if (length > 16 && !sameRest(at, member)) return 0;
  return at + length;
}

function sameRest(at: usize, member: Member): bool {
  return sameBytes(at + 16, changetype<usize>(member) + 16, member.length - 16);
}

function find(scope: u32, name: usize, length: usize): Member {
  for (let i: u32 = 0; i < known; i++) {
    const member = memberAt(i);
    if (member.scope != scope || member.nameLength != length) continue;
    if (sameBytes(member.name, name, length)) return member;
  }
  return otherOf(scope);
}

/** The member of a name that is met unescaped, remembered when it is new and there is room. */
function meet(scope: u32, name: usize, length: usize): Member {
  const found = find(scope, name, length);
  if (found != otherOf(scope) || known == MAX_MEMBERS || length + 3 > PATTERN_BYTES) return found;
  const member = memberAt(known++);
  makeUnpredicted(member, scope);
  makePattern(member, name, length);
  member.name = changetype<usize>(member) + 1;
  member.nameLength = length;
  return member;
}

/** The declared member of a name that was written with escapes. */
function findEscaped(scope: u32, name: usize, length: usize): Member {
  const value = alloc(length + 16);
  const end = unescapeString(name, name + length, value);
  const found = end == 0 ? otherOf(scope) : find(scope, value, end - value);
  free(value);
  return found;
}

let met: Member = changetype<Member>(0);

/** The member that `readName` read last. */
export function metMember(): Member {
  return met;
}

/** Reads a member's name that was not predicted, from before its opening quote to behind its colon, and predicts it after `before` from now on. 0 when it is not sound. */
export function readName(from: usize, before: Member): usize {
  const at = skipSpace(from);
  if (at != from) {
    const behind = predictedAgain(at, before.next);
    if (behind != 0) return behind;
  }
  if (load<u8>(at) != 0x22) return unexpected(at);
  const name = at + 1;
  const quote = scanString(name);
  if (quote == 0) return 0;
  const scope = before.scope;
  met = stringEscaped() ? findEscaped(scope, name, quote - name) : meet(scope, name, quote - name);
  if (met != otherOf(scope)) before.next = met;
  const colon = skipSpace(quote + 1);
  if (load<u8>(colon) != 0x3a) return unexpected(colon);
  return colon + 1;
}

/** As `predicted`, for names with white space before them. It is not the same call, since only a function that is called in one place is sure to be inlined there. */
function predictedAgain(at: usize, member: Member): usize {
  if (member.length == 0 || !sameBytes(at, changetype<usize>(member), member.length)) return 0;
  met = member;
  return at + member.length;
}
