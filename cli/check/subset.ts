/** Whether one JSON Schema takes all that another one does. It never says so wrongly: what it cannot tell is a difference. */

import { Compared, type Gap } from "./compared.ts";

export type JsonSchema = Readonly<Record<string, unknown>> | boolean;

/** A schema in the document that its references point into. */
export interface Placed {
  readonly schema: JsonSchema;
  readonly document: unknown;
  /**
   * Of the wide one: it says what clients know of a result. They pass over members that they do not know, and words are of the narrow one,
   * which is new.
   */
  readonly known?: boolean;
  /** Of an earlier engine, which left some references as they are in the app's own schema: in its document they lead nowhere. */
  readonly mayLeadNowhere?: boolean;
}

/** References to references that are followed. */
const CHAIN_MAX = 64;

/** Members that say nothing of which values fit. Definitions count where a reference leads to them. */
const SILENT = new Set([
  "$defs",
  "definitions",
  "description",
  "title",
  "default",
  "examples",
  "example",
  "$comment",
  "deprecated",
  "readOnly",
  "writeOnly",
]);
/** Members that are compared one by one below; any other must be the same in both. */
const COMPARED = new Set([
  "type",
  "const",
  "enum",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "prefixItems",
  "anyOf",
  "oneOf",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
]);
/** Members whose values are schemas. */
const OF_SCHEMAS = new Set([
  "additionalProperties",
  "items",
  "prefixItems",
  "anyOf",
  "oneOf",
  "allOf",
  "not",
  "if",
  "then",
  "else",
  "contains",
  "propertyNames",
  "unevaluatedItems",
  "unevaluatedProperties",
]);
/** Members whose values are schemas by names, which may be any: also those of the above. */
const BY_NAME = new Set(["properties", "patternProperties", "dependentSchemas"]);
const LOWER = ["minimum", "exclusiveMinimum", "minLength", "minItems"];
const UPPER = ["maximum", "exclusiveMaximum", "maxLength", "maxItems"];

/** Where `wide` does not take what `narrow` takes, in words; nothing when it takes all of it. */
export function gaps(wide: Placed, narrow: Placed): string[] {
  return gapsIn(wide, narrow, "", new Compared()).map(({ path, what }) => (path === "" ? "it" : path) + what);
}

/** @param path of the value, for the words */
function gapsIn(wide: Placed, narrow: Placed, path: string, compared: Compared): readonly Gap[] {
  const [to, from] = [resolved(wide), resolved(narrow)];
  if (leadsNowhere(wide) || leadsNowhere(narrow)) return [];
  if (to === true || from === false) return [];
  if (typeof to === "boolean" || typeof from === "boolean") return [{ path, what: " is another type" }];
  // Before they are taken apart: of an alternative alone nobody can say that it fits exactly one of those of a `oneOf`.
  if (areAlike(wide, narrow, compared)) return [];
  return compared.gaps(to, from, path, () => gapsOf({ wide, narrow, to, from, path, compared }));
}

/** One after the other: who asks only whether there are any stops at the first. */
function* gapsOf(pair: Pair): Generator<Gap> {
  const { wide, narrow, to, from, path, compared } = pair;
  const isOneOfThem = listOf(to["anyOf"])?.some((one) => areAlike(inside(one, wide), narrow, compared)) === true;
  const alternatives = isOneOfThem ? undefined : listOf(from["anyOf"] ?? from["oneOf"]);
  if (alternatives !== undefined) {
    for (const one of alternatives) yield* gapsIn(wide, inside(one, narrow), path, compared);
    return;
  }
  for (const name of ["anyOf", "oneOf"] as const) {
    const choices = listOf(to[name])?.map((one) => inside(one, wide));
    if (choices === undefined || (name === "anyOf" && isOneOfThem)) continue;
    const fitting = choices.findIndex((one) => compared.fits(() => gapsIn(one, narrow, path, compared)));
    if (fitting < 0) return yield { path, what: " fits none of the alternatives any more" };
    // Of `oneOf` exactly one must fit.
    if (name === "oneOf" && choices.some((one, n) => n !== fitting && !areDisjoint(one, narrow, compared)))
      return yield { path, what: " may fit several of the alternatives, of which one must fit" };
  }
  // What stands beside alternatives counts, too.
  const words = { path, output: wide.known === true };
  yield* ofValues(to, from, words);
  yield* ofBounds(to, from, words);
  yield* ofMembers(pair);
  yield* ofItems(pair);
  yield* ofTheRest(to, from, path);
}

/** Whether no value surely fits both: by their types, their values, or a member that one of them asks for. */
function areDisjoint(one: Placed, other: Placed, compared: Compared): boolean {
  const [a, b] = [resolved(one), resolved(other)];
  if (a === false || b === false) return true;
  if (a === true || b === true) return false;
  return compared.areDisjoint(a, b, () =>
    areApart({ one, other, a, b }, (schema, of, from) => areDisjoint(inside(schema, of), from, compared)),
  );
}

interface Two {
  readonly one: Placed;
  readonly other: Placed;
  readonly a: Members;
  readonly b: Members;
}

function areApart({ one, other, a, b }: Two, apart: (schema: unknown, of: Placed, from: Placed) => boolean): boolean {
  const byParts = (whole: Members, of: Placed, from: Placed): boolean =>
    (listOf(whole["allOf"]) ?? []).some((part) => apart(part, of, from)) ||
    [whole["anyOf"], whole["oneOf"]].some((list) => listOf(list)?.every((part) => apart(part, of, from)) === true);
  if (byParts(a, one, other) || byParts(b, other, one)) return true;
  const [values, others] = [valuesOf(a), valuesOf(b)];
  if (values && others && !values.some((value) => others.some((known) => same(known, value)))) return true;
  const [types, known] = [typesOf(a) ?? values?.map(typeOf), typesOf(b) ?? others?.map(typeOf)].map((list) =>
    list?.map((type) => (type === "integer" ? "number" : type)),
  );
  if (types && known && !types.some((type) => known.includes(type))) return true;
  // Members count where what fits both can be an object only.
  if (![types, known].some((list) => list?.every((type) => type === "object"))) return false;
  const [members, more] = [membersOf(a["properties"]), membersOf(b["properties"])];
  return [...(listOf(a["required"]) ?? []), ...(listOf(b["required"]) ?? [])].some(
    (name) =>
      Object.hasOwn(members, String(name)) &&
      Object.hasOwn(more, String(name)) &&
      apart(members[String(name)], one, inside(more[String(name)], other)),
  );
}

/** Whether two schemas say the same of values in the same words, and their references lead to such. */
function areAlike(one: Placed, other: Placed, compared: Compared): boolean {
  if (leadsNowhere(one) || leadsNowhere(other)) return true;
  const [a, b] = [resolved(one), resolved(other)];
  if (typeof a === "boolean" || typeof b === "boolean") return a === b;
  const alike = (x: unknown, y: unknown): boolean => areAlike(inside(x, one), inside(y, other), compared);
  return compared.areAlike(a, b, () => sayTheSame(a, b, alike));
}

function sayTheSame(a: Members, b: Members, alike: (x: unknown, y: unknown) => boolean): boolean {
  return inBoth(a, b, (name, x, y) => {
    if (SILENT.has(name)) return true;
    if (x === undefined || y === undefined) return false;
    if (BY_NAME.has(name))
      return inBoth(membersOf(x), membersOf(y), (_name, v, w) => v !== undefined && w !== undefined && alike(v, w));
    if (!OF_SCHEMAS.has(name)) return sameThroughout(x, y);
    const [list, others] = [listOf(x), listOf(y)];
    if (!list || !others) return !list && !others && alike(x, y);
    return list.length === others.length && list.every((item, n) => alike(item, others[n]));
  });
}

/** Whether something holds for each name that one of two has, with what both have there. */
function inBoth(a: Members, b: Members, holds: (name: string, x: unknown, y: unknown) => boolean): boolean {
  const of = (members: Members, name: string): unknown => (Object.hasOwn(members, name) ? members[name] : undefined);
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => holds(name, of(a, name), of(b, name)));
}

type Members = Readonly<Record<string, unknown>>;
interface Pair {
  readonly wide: Placed;
  readonly narrow: Placed;
  readonly to: Members;
  readonly from: Members;
  readonly path: string;
  readonly compared: Compared;
}

/** How a gap is told: of a result the narrow schema is the new one, of an input the wide one. */
interface Words {
  readonly path: string;
  readonly output: boolean;
}

function changed(what: string, wide: unknown, narrow: unknown, { path, output }: Words): Gap {
  const [now, before] = output ? [narrow, wide] : [wide, narrow];
  const words = `: ${what} is ${String(now ?? "not bounded")} now, and was ${String(before ?? "not bounded")}`;
  return { path, what: words };
}

function ofValues(to: Members, from: Members, words: Words): Gap[] {
  const [taken, given] = [valuesOf(to), valuesOf(from)];
  if (taken !== undefined) {
    const list = (values: readonly unknown[] | undefined): string =>
      values?.map((one) => JSON.stringify(one)).join(" or ") ?? "anything";
    const lost = given?.filter((value) => !taken.some((one) => same(one, value)));
    if (lost === undefined || lost.length > 0) return [changed("its value", list(taken), list(given), words)];
  }
  const [types, had] = [typesOf(to), typesOf(from) ?? given?.map(typeOf)];
  if (types === undefined) return [];
  const all = had ?? ["anything"];
  const fits = (type: unknown): boolean => types.includes(type) || (type === "integer" && types.includes("number"));
  return all.every(fits) ? [] : [changed("its type", types.join(" or "), all.join(" or "), words)];
}

function ofBounds(to: Members, from: Members, words: Words): Gap[] {
  const given = valuesOf(from);
  const tighter = (name: string, isTighter: (a: number, b: number) => boolean): Gap[] => {
    const [wide, narrow] = [to[name], from[name]];
    if (typeof wide !== "number") return [];
    // Of single values each says by itself whether it is within.
    const isWithin = (value: unknown): boolean => {
      const size = sizeOf(name, value);
      return size === undefined || !(isTighter(wide, size) || (name.startsWith("exclusive") && size === wide));
    };
    if (given === undefined ? typeof narrow === "number" && !isTighter(wide, narrow) : given.every(isWithin)) return [];
    return [changed(name, wide, narrow, words)];
  };
  return [
    ...LOWER.flatMap((name) => tighter(name, (wide, narrow) => wide > narrow)),
    ...UPPER.flatMap((name) => tighter(name, (wide, narrow) => wide < narrow)),
  ];
}

/** What a bound of this name is about in a value; undefined where it is about values of another type. */
function sizeOf(name: string, value: unknown): number | undefined {
  if (name.endsWith("Length")) return typeof value === "string" ? [...value].length : undefined;
  if (name.endsWith("Items")) return Array.isArray(value) ? value.length : undefined;
  return typeof value === "number" ? value : undefined;
}

function* ofMembers({ wide, narrow, to, from, path, compared }: Pair): Generator<Gap> {
  const output = wide.known === true;
  const [taken, given] = [membersOf(to["properties"]), membersOf(from["properties"])];
  const sure = listOf(from["required"]) ?? [];
  for (const name of listOf(to["required"]) ?? [])
    if (!sure.includes(name))
      yield { path: `${path}/${String(name)}`, what: ` ${output ? "may be missing" : "must be there"} now` };
  const others = output && to["additionalProperties"] === false ? true : to["additionalProperties"];
  const within = (name: string, schema: unknown, member: unknown): readonly Gap[] =>
    gapsIn(inside(schema, wide), inside(member, narrow), `${path}/${name}`, compared);
  // Only what is spoken of counts: nobody sends members that they never heard of.
  for (const [name, schema] of Object.entries(given))
    yield* within(name, Object.hasOwn(taken, name) ? taken[name] : others, schema);
  const further = from["additionalProperties"];
  if (further === undefined || further === false) return;
  // Members of any name may come, also of those that only the wide one knows. But an object of an input that only lets others pass, and
  // speaks of no names as a record does, is not sent what nobody heard of.
  const isOpen = !output && !("propertyNames" in from) && saysNothing(further);
  const names = valuesOf(membersOf(from["propertyNames"]));
  for (const [name, schema] of Object.entries(taken))
    if (!isOpen && !Object.hasOwn(given, name) && names?.includes(name) !== false) yield* within(name, schema, further);
  yield* within("*", others, further);
}

function saysNothing(schema: unknown): boolean {
  return schema !== false && Object.keys(membersOf(schema)).every((name) => SILENT.has(name));
}

function inside(schema: unknown, placed: Placed): Placed {
  return { ...placed, schema: (schema ?? true) as JsonSchema };
}

function* ofItems({ wide, narrow, to, from, path, compared }: Pair): Generator<Gap> {
  const [now, before] = [listOf(to["prefixItems"]) ?? [], listOf(from["prefixItems"]) ?? []];
  const places = Math.max(now.length, before.length);
  // Where no more than these may come, nothing comes behind them.
  const isWhole = typeof from["maxItems"] === "number" && from["maxItems"] <= before.length;
  const rest = isWhole ? false : from["items"];
  const within = (name: number | string, schema: unknown, item: unknown): readonly Gap[] =>
    gapsIn(inside(schema, wide), inside(item, narrow), `${path}/${name}`, compared);
  for (let n = 0; n < places; n++) yield* within(n, now[n] ?? to["items"], before[n] ?? rest);
  yield* within("*", to["items"], rest);
}

function ofTheRest(to: Members, from: Members, path: string): Gap[] {
  return Object.keys(to)
    .filter((name) => !COMPARED.has(name) && !SILENT.has(name) && name !== "$ref" && !same(to[name], from[name]))
    .map((name) => ({ path, what: ` has another ${name}` }));
}

/** Alike in text, with no references, which lead into different documents. */
function sameThroughout(a: unknown, b: unknown): boolean {
  return same(a, b) && !(JSON.stringify(a) ?? "").includes('"$ref"');
}

/** Whether what it refers to is not known. The root of a document is no schema. */
function leadsNowhere({ schema, document, mayLeadNowhere }: Placed): boolean {
  const reference = membersOf(schema)["$ref"];
  if (mayLeadNowhere !== true || typeof reference !== "string" || !reference.startsWith("#")) return false;
  return reference === "#" || pointed(document, reference.slice(1)) === undefined;
}

/** Follows references. */
function resolved({ schema, document }: Placed): JsonSchema {
  let found: unknown = schema;
  for (let steps = 0; steps < CHAIN_MAX; steps++) {
    const reference = membersOf(found)["$ref"];
    if (typeof reference !== "string" || !reference.startsWith("#")) break;
    found = pointed(document, reference.slice(1)) ?? true;
  }
  return found as JsonSchema;
}

/** What a JSON pointer leads to (RFC 6901). */
export function pointed(document: unknown, pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>((value, part) => (value as Members | undefined)?.[part], document);
}

function valuesOf(schema: Members): readonly unknown[] | undefined {
  return "const" in schema ? [schema["const"]] : listOf(schema["enum"]);
}
function typesOf({ type }: Members): readonly unknown[] | undefined {
  return typeof type === "string" ? [type] : listOf(type);
}
function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}
function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}
function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null ? (value as Members) : {};
}
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
