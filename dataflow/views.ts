/** Entries of a vertex as rows of a view. */

import { decodeValue } from "../sdk/values.ts";
import { exact } from "../sdk/exact.ts";
import { INT64_MAX, INT64_MIN } from "../sdk/limits.ts";
import type { FieldKind, FlowNode } from "../sdk/index.ts";
import type { Cell } from "./columns/column.ts";
import { cellJson, typedJson } from "./columns/rows.ts";
import { fromSortableWhole, groupOfText, keyCells, keyText, PART, partCell } from "./keys.ts";
import { type AggregateSpec, type Group, Grouping } from "./operators/groups.ts";
import type { ViewProgram } from "./program.ts";

/** Renders an entry; null for one that the view does not show. */
export type Renderer = (key: string, text: string, watermark: number) => string | null;

/** Characters of a window's beginning in an entry's key, and of what is behind it. */
const BEGIN = 16;

export function rendererOf({ sink, content }: ViewProgram): Renderer {
  const { input } = sink;
  switch (content) {
    case "rows":
      return (_, text) => text;
    case "newest":
      return newestRenderer(input);
    case "groups":
      return groupRenderer(input);
    case "windows":
      return windowRenderer(input);
  }
}

function newestRenderer({ fields, json, operator }: FlowNode): Renderer {
  const names = Object.keys(fields);
  const ttl = operator.kind === "deduplicate" ? operator.ttl : null;
  return (_, text, watermark) => {
    const [time, ...cells] = decodeValue(text) as [number, ...Cell[]];
    if (ttl !== null && time + ttl <= watermark) return null;
    return `{${names.map((name, at) => member(name, cells[at] as Cell, json)).join(",")}}`;
  };
}

function member(name: string, cell: Cell, json: readonly string[]): string {
  return `${JSON.stringify(name)}:${json.includes(name) ? String(cell) : typedJson(cell)}`;
}

type Aggregate = Extract<FlowNode["operator"], { readonly kind: "aggregate" }>;

function groupingOf({ operator, inputs, fields }: FlowNode): { grouping: Grouping; operator: Aggregate } {
  const aggregate = operator as Aggregate;
  const { keys, outputs, lateness, ttl } = aggregate;
  const spec: AggregateSpec = {
    keys: keys.fields,
    outputs,
    inputs: inputs[0]?.fields ?? {},
    changes: inputs[0]?.changes ?? false,
    fields,
    lateness,
    ttl,
    emits: false,
    viewed: true,
    woken: false,
  };
  return { grouping: new Grouping(spec), operator: aggregate };
}

function outputsJson(grouping: Grouping, group: Group, json: readonly string[]): string[] {
  const cells = grouping.results(group);
  return grouping.spec.outputs.map(({ name }, at) => member(name, cells[at] as Cell, json));
}

function groupRenderer(node: FlowNode): Renderer {
  const { grouping, operator } = groupingOf(node);
  const { fields } = operator.keys;
  return (key, text, watermark) => {
    const group = grouping.decode(groupOfText(key, fields.length), text);
    if (operator.ttl !== null && group.time + operator.ttl <= watermark) return null;
    const cells = fields.length === 0 ? [] : keyCells(key);
    const keys = fields.map((name, at) => member(name, cells[at] as Cell, []));
    return `{${[...keys, ...outputsJson(grouping, group, node.json)].join(",")}}`;
  };
}

function windowRenderer(node: FlowNode): Renderer {
  const { grouping, operator } = groupingOf(node);
  const { window } = operator;
  return (key, text, watermark) => {
    const start = Number(fromSortableWhole(key.slice(0, BEGIN)));
    const group = grouping.decode(key, text);
    const end = window?.kind === "session" ? group.time + window.gap : start + (window?.size ?? 0);
    const cells = keyCells(key.slice(key.indexOf(PART, BEGIN) + 1));
    const shown = cells.length === 1 ? cellJson(cells[0] as Cell) : `[${cells.map(cellJson).join(",")}]`;
    const members = [
      `"key":${shown}`,
      `"window":{"start":${start},"end":${end}}`,
      ...outputsJson(grouping, group, node.json),
      `"final":${end + operator.lateness <= watermark}`,
    ];
    return `{${members.join(",")}}`;
  };
}

/**
 * The key that a request names, as its entry is stored; undefined when it can be none. Several fields are a JSON array. Each key has one text only:
 * rules of who may read are asked about it.
 */
export function requestedKey(
  { sink }: ViewProgram,
  text: string,
): { readonly text: string; readonly cells: Cell[] } | undefined {
  const kinds = sink.key.map((name) => sink.input.fields[name]?.kind);
  const parts = kinds.length === 1 ? [text] : partsOf(text, kinds);
  if (parts?.length !== kinds.length) return undefined;
  const cells: Cell[] = [];
  for (const [at, kind] of kinds.entries()) {
    const part = parts[at] as string;
    if (kind === "text") cells.push(part);
    else if (kind === "boolean") {
      if (part !== "true" && part !== "false") return undefined;
      cells.push(part === "true");
    } else {
      const whole = wholeOf(part);
      if (whole === undefined) return undefined;
      cells.push(whole);
    }
  }
  if (kinds.length !== 1 && text !== `[${cells.map(cellJson).join(",")}]`) return undefined;
  return { text: keyText(cells), cells };
}

/** Undefined for what no field of whole numbers can be. */
function wholeOf(part: string): Cell | undefined {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(part)) return undefined;
  const whole = BigInt(part);
  if (whole < INT64_MIN || whole > INT64_MAX) return undefined;
  return partCell(`n${(whole - INT64_MIN).toString(16).padStart(16, "0")}`);
}

function partsOf(text: string, kinds: ReadonlyArray<FieldKind | undefined>): string[] | undefined {
  try {
    const parts: unknown = JSON.parse(text, exact);
    return Array.isArray(parts) && parts.every((part, at) => isCell(part, kinds[at])) ? parts.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** Of a text or whole number, or of a boolean where that is the kind; anything else would be another key's text by `String`. */
function isCell(part: unknown, kind: FieldKind | undefined): boolean {
  if (kind === "boolean") return typeof part === "boolean";
  return typeof part === "string" || typeof part === "bigint" || Number.isSafeInteger(part);
}
