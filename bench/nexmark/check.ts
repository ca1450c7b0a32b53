/** Results against the naive evaluation: in order, out of order and with late events, with the process killed while batches are under way. */
import type { WorkerdProcess } from "../lib/workerd.ts";
import { inBatches } from "./batches.ts";
import { sendBatch, shownBy, type Taken } from "./client.ts";
import type { Batch, Kind } from "./events.ts";
import type { Query } from "./flows/query.ts";
import { generate, type GeneratorOptions } from "./generator.ts";
import type { Result } from "./naive/arrivals.ts";
import { evaluate, rowLines } from "./naive/queries.ts";

export interface Scenario {
  readonly what: string;
  readonly options: Partial<GeneratorOptions>;
  /** Of the pieces that are sent, those in the midst of which the process is killed. */
  readonly kills: readonly number[];
}

const EVENTS = 20_000;
const PER_SECOND = 50;
const PIECE = 500;
/** Between what windows hold of the run and what ends it. */
const GAP_MS = 3_600_000;

/** Runs begin before a change of the hour or of the day, which some queries tell apart. */
export const SCENARIOS: readonly Scenario[] = [
  { what: "in order", options: { start: Date.UTC(2026, 0, 1, 7, 57) }, kills: [] },
  {
    what: "out of order, killed",
    options: { start: Date.UTC(2026, 0, 1, 23, 57), groupSize: 100 },
    kills: [5, 17, 29],
  },
  {
    what: "with late events, killed",
    options: { start: Date.UTC(2026, 0, 1, 18, 57), lateOneIn: 50 },
    kills: [11, 23],
  },
];

export interface Verdict {
  readonly query: string;
  readonly scenario: string;
  /** What is wrong; null when all is as the naive evaluation has it. */
  readonly wrong: string | null;
  readonly rows: number;
  readonly late: number;
}

/** Batches that end every window of a run: one event of each kind, long after all others. */
function endingOf(batches: readonly Batch[], kinds: readonly Kind[]): { ending: Batch[]; from: number } {
  const latest = batches.reduce((most, { events }) => Math.max(most, ...events.map(({ dateTime }) => dateTime)), 0);
  const dateTime = latest + GAP_MS;
  const ending = kinds.map((kind) => {
    const last = batches.findLast((batch) => batch.kind === kind)?.events.at(-1);
    return {
      kind,
      at: 0,
      events: [{ ...last, dateTime, id: -1, seller: -1, auction: -1, bidder: -1 }],
    } as unknown as Batch;
  });
  return { ending, from: latest + GAP_MS / 2 };
}

/** Rows of windows that the run itself is in; all rows where there are no windows. */
const before = (rows: Result["rows"], from: number): Result["rows"] =>
  rows.filter(({ start }) => typeof start !== "number" || start < from);

const WINDOWED = new Set(["q5", "q7", "q8", "q11"]);

/** Sends a scenario's events to one query and compares what it shows. */
export async function check(query: Query, scenario: Scenario, workerd: WorkerdProcess): Promise<Verdict> {
  const arrivals = generate({ events: EVENTS, perSecond: PER_SECOND, ...scenario.options });
  const batches = inBatches(arrivals, PIECE, query.reads);
  const { ending, from } = endingOf(batches, query.reads);
  const sent = WINDOWED.has(query.name) ? [...batches, ...ending] : batches;
  const taken: Taken[] = [];
  for (const [index, batch] of sent.entries()) {
    const key = `${query.name}-${index}`;
    const answer = sendBatch(`${query.name}-${batch.kind}`, batch, key, query.byClock ? batch.at : undefined);
    if (scenario.kills.includes(index)) await workerd.restart();
    taken.push(await answer);
  }
  const expected = evaluate(query.name, sent);
  const wanted = rowLines(query.byClock ? expected.rows : before(expected.rows, from));
  const shown = (await shownBy(query)).flatMap((row) => query.rowsOf(row));
  const found = rowLines(query.byClock ? shown : before(shown, from));
  const late = taken.reduce((sum, { late: some }) => sum + (some?.[query.name] ?? 0), 0);
  return {
    query: query.name,
    scenario: scenario.what,
    rows: wanted.length,
    late: expected.late,
    wrong:
      difference(found, wanted) ?? (late === expected.late ? null : `${late} late events instead of ${expected.late}`),
  };
}

function difference(found: readonly string[], wanted: readonly string[]): string | null {
  const missing = without(wanted, found);
  const extra = without(found, wanted);
  if (missing.length === 0 && extra.length === 0) return null;
  const example = (lines: readonly string[]) => (lines.length === 0 ? "" : `, such as ${lines[0]}`);
  return `${missing.length} rows of ${wanted.length} are missing${example(missing)}; ${extra.length} are wrong${example(extra)}`;
}

/** Lines of the first list that the second has not, each as often as it has it less. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}
