/** The audit of the kill test: reads everything back and holds it against what was acknowledged. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { evaluate, rowText } from "../../../dataflow/reference.ts";
import { salesPerSecond } from "../../app/src/flow.ts";
import type { Acknowledged, SaleEvent } from "./drivers.ts";
import { TOKEN } from "./process-group.ts";

/** Entries of a page: ids are up to 300 characters and a result has at most 1 MiB. */
const PAGE = 2_000;

async function get<T>(url: string): Promise<T> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } });
  if (response.status !== 200) throw new Error(`${url} answered ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** All entries of a ledger, in order. */
async function entriesOf(url: string, service: string, key: string): Promise<Array<[number, string]>> {
  const all: Array<[number, string]> = [];
  for (;;) {
    const input = encodeURIComponent(JSON.stringify({ from: (all.at(-1)?.[0] ?? 0) + 1, limit: PAGE }));
    const page = await get<Array<[number, string]>>(`${url}/v1/services/${service}/${key}/entries?input=${input}`);
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}

/** The database files of all partitions. */
export async function databasesIn(persist: string): Promise<string[]> {
  const folder = join(persist, "do", "-Partition");
  const files = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  return files.sort().map((name) => join(folder, name));
}

/** Records that each partition has folded, as its database says. Only for a folder that no server uses. */
export async function foldedIn(persist: string): Promise<number[]> {
  return (await databasesIn(persist)).map((path) => {
    const database = new DatabaseSync(path);
    const row = database.prepare("SELECT value FROM meta WHERE name = 'folded'").get();
    database.close();
    // A checksum of 8 digits stands before it.
    return Number(String(row?.["value"] ?? "").slice(8));
  });
}

/** Every fault of one key's ledger, in words; none when each acknowledged id is there once, at the position that was told. */
export async function auditLedger(url: string, key: string, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const faults: string[] = [];
  const entries = await entriesOf(url, "ledger", key);
  const mirrored = await entriesOf(url, "mirror", key);
  if (JSON.stringify(entries) !== JSON.stringify(mirrored)) faults.push(`${key}: ledger and mirror differ`);
  const positions = new Map<string, number>();
  for (const [at, [position, id]] of entries.entries()) {
    if (position !== at + 1) faults.push(`${key}: entry ${at + 1} has the number ${position}`);
    if (positions.has(id)) faults.push(`${key}: ${id} is there twice`);
    positions.set(id, position);
  }
  for (const { id, position } of acknowledged) {
    const found = positions.get(id) ?? null;
    if (found !== position) faults.push(`${key}: ${id} was acknowledged at ${position} and is at ${found}`);
    positions.delete(id);
  }
  for (const id of positions.keys()) faults.push(`${key}: ${id} is there and was never acknowledged`);
  return faults;
}

/** Lines of one batch and key must have taken effect in their order. */
export function auditOrder(acknowledged: readonly Acknowledged[]): string[] {
  const last = new Map<string, { line: number; position: number }>();
  const faults: string[] = [];
  const lines = acknowledged
    .map((ack) => ({ ...ack, match: /^(batch\d+\.\d+)\.(\d+)\./.exec(ack.id) }))
    .filter(({ match }) => match !== null)
    .sort((a, b) => Number(a.match?.[2]) - Number(b.match?.[2]));
  for (const { key, match, position } of lines) {
    const group = `${match?.[1]} ${key}`;
    const line = Number(match?.[2]);
    const before = last.get(group);
    if (before && before.position >= (position ?? 0))
      faults.push(`${group}: line ${line} overtook line ${before.line}`);
    last.set(group, { line, position: position ?? 0 });
  }
  return faults;
}

interface ViewPage {
  readonly next?: string;
  readonly late: number;
  readonly events: number;
}

/** The view's rows and counters against a plain evaluation of the batches in the order in which they were taken. */
export async function auditView(
  url: string,
  batches: ReadonlyArray<readonly SaleEvent[]>,
): Promise<{ faults: string[]; rows: number }> {
  const expected = evaluate(
    salesPerSecond,
    batches.map((batch) => batch.map((event) => ({ ...event }))),
  );
  const rows: string[] = [];
  let page: ViewPage;
  let cursor = "";
  do {
    const response = await fetch(`${url}/v1/views/${salesPerSecond.view}?limit=1000${cursor}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const text = await response.text();
    page = JSON.parse(text) as ViewPage;
    rows.push(...(text.match(/\{"key":.*?"final":(?:true|false)\}/g) ?? []));
    cursor = `&cursor=${encodeURIComponent(page.next ?? "")}`;
  } while (page.next !== undefined);
  const faults: string[] = [];
  const want = expected.rows.map(rowText);
  for (let at = 0; at < Math.max(want.length, rows.length); at++) {
    if (want[at] !== rows[at]) faults.push(`row ${at} is ${rows[at]}, not ${want[at]}`);
  }
  const events = batches.reduce((sum, batch) => sum + batch.length, 0);
  if (page.events !== events) faults.push(`the view counts ${page.events} events of ${events}`);
  if (page.late !== expected.late) faults.push(`the view counts ${page.late} late events, not ${expected.late}`);
  return { faults: faults.slice(0, 10), rows: rows.length };
}
