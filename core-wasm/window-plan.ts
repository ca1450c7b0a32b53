/** What a stream's columns and a window plan must be, checked in one place for the kernels and their twins. */
import { dataPath } from "./cloud-event.ts";
import { eventTree } from "./event-tree.ts";
import { MAX_EVENT_COLUMNS, MAX_WINDOW_MEASURES } from "./limits.ts";
import type { ColumnTest, ColumnType, EventColumn, WindowPlan } from "./types.ts";

const TYPES: readonly ColumnType[] = ["i64", "f64", "text", "bool"];

function badColumns(detail: string): RangeError {
  return new RangeError(`bad-columns: ${detail}`);
}

function badPlan(detail: string): RangeError {
  return new RangeError(`bad-plan: ${detail}`);
}

/** Checks declared columns: at most MAX_EVENT_COLUMNS, known types, distinct names without lone surrogates, paths apart. @throws RangeError `bad-columns: …` */
export function checkColumns(columns: readonly EventColumn[]): void {
  if (columns.length > MAX_EVENT_COLUMNS) {
    throw badColumns(`${columns.length} columns, at most ${MAX_EVENT_COLUMNS}`);
  }
  const names = new Set<string>();
  for (const { name, type, path } of columns) {
    if (path?.length === 0) throw badColumns(`the path of "${name}" is empty`);
    if (path?.some((step) => !step.isWellFormed())) throw badColumns(`the path of "${name}" holds a lone surrogate`);
    if (!TYPES.includes(type)) throw badColumns(`"${name}" has the unknown type "${type}"`);
    if (!name.isWellFormed()) throw badColumns(`"${name}" holds a lone surrogate`);
    if (names.has(name)) throw badColumns(`"${name}" is declared twice`);
    names.add(name);
  }
  // Whatever they are sent in: an envelope is one object more.
  eventTree(columns, dataPath);
}

function typeOf(columns: readonly EventColumn[], index: number, what: string): ColumnType {
  const column = columns[index];
  if (column === undefined) throw badPlan(`the ${what} is column ${index} of ${columns.length}`);
  if (column.optional === true) throw badPlan(`the ${what} "${column.name}" is optional`);
  if (column.type === "bool") throw badPlan(`the ${what} "${column.name}" is a bool`);
  return column.type;
}

function checkTest(columns: readonly EventColumn[], test: ColumnTest): void {
  const type = typeOf(columns, test.column, "filter's column");
  if (!["eq", "ne", "lt", "le", "gt", "ge"].includes(test.op)) throw badPlan(`no comparison "${test.op}"`);
  const text = typeof test.value === "string";
  if (text !== (type === "text")) throw badPlan(`a ${type} column is compared with a ${typeof test.value}`);
  if (text && test.op !== "eq" && test.op !== "ne") throw badPlan(`text knows eq and ne, not ${test.op}`);
}

/** Checks a plan. @throws RangeError `bad-plan: …` or `bad-columns: …` */
export function checkPlan(plan: WindowPlan): void {
  const { columns } = plan;
  checkColumns(columns);
  for (const test of plan.filter) checkTest(columns, test);
  if (typeOf(columns, plan.key, "key") === "f64") throw badPlan("a key is i64 or text");
  if (typeOf(columns, plan.time, "time") !== "i64") throw badPlan("a time is i64");
  if (!(Number.isSafeInteger(plan.size) && plan.size > 0)) throw badPlan(`a window is not ${plan.size} ms long`);
  if (plan.measures.length > MAX_WINDOW_MEASURES) {
    throw badPlan(`${plan.measures.length} measures, at most ${MAX_WINDOW_MEASURES}`);
  }
  for (const measure of plan.measures) {
    if (typeOf(columns, measure, "measure") === "text") throw badPlan("a measure is numeric");
  }
  if (!(plan.maxGroups >= 0 && plan.maxGroups <= 0xffffffff && Number.isInteger(plan.maxGroups))) {
    throw badPlan(`maxGroups is a count, not ${plan.maxGroups}`);
  }
}
