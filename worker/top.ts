/** `?top=`: the rows of a view with the greatest values of a member. */
import type { ViewDefinition } from "../sdk/app.ts";
import { exact, floatJson } from "../sdk/exact.ts";
import { queryParameter } from "./address.ts";
import type { ViewAnswer, ViewQuery } from "./backend.ts";
import { LIMITS as PARTITION } from "../protocol/limits.ts";
import { LIMITS } from "./limits.ts";
import { refuse } from "./problems.ts";

const NUMBERS: readonly string[] = ["int64", "float64", "timestamp"];

/** The member that the rows are to be ranked by; undefined where none is asked for. @throws ProblemError for one that is no number, or not there */
export function topIn(url: string, { sink }: ViewDefinition): string | undefined {
  const by = queryParameter(url, "top");
  if (by === undefined) return undefined;
  const { fields, operator } = sink.input;
  const inWindow = sink.shape === "windowed" && operator.kind === "aggregate";
  const members = inWindow ? operator.outputs.map(({ name }) => name) : Object.keys(fields);
  const numbers = members.filter((name) => NUMBERS.includes(fields[name]?.kind ?? ""));
  if (numbers.includes(by)) return by;
  const which = numbers.length === 0 ? "and this view's have none" : `here ${numbers.join(", ")}`;
  throw refuse("invalid-parameter", `?top= is a member of the rows that is a number, ${which}`);
}

type Row = Readonly<Record<string, bigint | number>>;

/**
 * Ranks what a kernel answers in the order of its keys. All rows have to be in one answer, or it would be no state of one moment. But where an
 * answer ends early since it has looked through many closed windows for a key, its rows will not change, and those of the next belong to them.
 */
export async function ranked(
  by: string,
  query: ViewQuery,
  answer: (whole: ViewQuery) => Promise<ViewAnswer>,
): Promise<ViewAnswer> {
  const all: Row[] = [];
  let size = 0;
  for (let { after } = query; ;) {
    const page = await answer({ ...query, after, limit: LIMITS.viewRowsMax });
    if (page.status !== 200) return page;
    const { rows, next, ...rest } = JSON.parse(page.body, exact) as {
      readonly rows: readonly Row[];
      readonly next?: string;
    };
    all.push(...rows);
    size += page.body.length;
    if (next === undefined) {
      const top = all.toSorted((a, b) => greatestFirst(a[by] ?? 0, b[by] ?? 0)).slice(0, query.limit);
      return { ...page, body: JSON.stringify({ rows: top, ...rest }, raw) };
    }
    // A page that is full is longer than this.
    if (query.key === undefined || all.length >= LIMITS.viewRowsMax || size > PARTITION.maxViewChars)
      throw refuse("invalid-parameter", "this view has too many rows to be ranked");
    after = next;
  }
}

/** Of equals, in the order of keys: the sort is stable. */
function greatestFirst(a: bigint | number, b: bigint | number): number {
  return a > b ? -1 : a < b ? 1 : 0;
}

/** JSON of any current engine can write a bigint as the number that it is, and a float64 so that it is none. */
function raw(_name: string, value: unknown): unknown {
  const { rawJSON } = JSON as unknown as RawJson;
  if (typeof value === "bigint") return rawJSON(String(value));
  return typeof value === "number" ? rawJSON(floatJson(value)) : value;
}
interface RawJson {
  rawJSON(text: string): unknown;
}
