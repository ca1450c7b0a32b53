/** `tidegate watch`: the rows of a view as they change, or the events of a stream as they are committed. */
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "../../sdk/client/index.ts";
import type { ViewPage } from "../../sdk/client/types.ts";
import { type Command, EXIT, text, UsageError, whole } from "../command.ts";
import { connect, CONNECTION, inWords, segmentOf } from "../connection.ts";
import { WATCH_EVERY_MAX_S, WATCH_EVERY_S, WATCH_ROWS_MAX } from "../limits.ts";

type Row = Readonly<Record<string, unknown>>;

export const watch: Command = {
  summary: "prints the rows of a view and then those that change, or the events of a stream",
  usage: "<view> [key] | <stream> --stream",
  takes: [1, 2],
  options: {
    ...CONNECTION,
    every: { type: "string", value: "SECONDS", help: `how often it looks; default ${WATCH_EVERY_S}` },
    stream: { type: "boolean", help: "events of a stream that keeps them, with their ids" },
    after: { type: "string", value: "ID", help: "with --stream: those behind this one; -1: all that are kept" },
    once: { type: "boolean", help: "prints what is there and ends" },
  },
  details: `A line of JSON a row, of at most ${WATCH_ROWS_MAX} rows, or an event. Without --once it goes on until Ctrl-C.`,
  async run(given, terminal) {
    const [view = "", key] = given.positionals;
    const every = whole(given, "every", WATCH_EVERY_S, 1, WATCH_EVERY_MAX_S) * 1_000;
    const from = await connect(given, terminal);
    const client = createClient(from.url, {}, from.options);
    if (given.values["stream"] === true) {
      if (key !== undefined) throw new UsageError("events are of the whole stream: name no key");
      const after = text(given, "after");
      const follow = given.values["once"] !== true;
      await inWords(from.url, async () => {
        const events = client.stream(view).read({ follow, ...(after === undefined ? {} : { after }) });
        for await (const { id, event } of events) terminal.out(textOf({ id, event }));
      });
      return EXIT.done;
    }
    if (key !== undefined) segmentOf(key);
    let shown = new Set<string>();
    for (;;) {
      const rows = await inWords(from.url, () =>
        pages((cursor) => client.view(view).get(key, { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) })),
      );
      // Rows have no name that all views give them: one that has changed is one that was not there before.
      const now = new Set(rows.map(textOf));
      for (const line of now) if (!shown.has(line)) terminal.out(line);
      shown = now;
      if (given.values["once"] === true) return EXIT.done;
      await sleep(every);
    }
  },
};

async function pages(page: (cursor: string | undefined) => Promise<ViewPage<Row>>): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | undefined; ;) {
    const { rows: more, next } = await page(cursor);
    rows.push(...more);
    if (next === undefined || rows.length >= WATCH_ROWS_MAX) return rows.slice(0, WATCH_ROWS_MAX);
    cursor = next;
  }
}

function textOf(row: object): string {
  const raw = (value: bigint): unknown =>
    (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value));
  return JSON.stringify(row, (_name, value: unknown) => (typeof value === "bigint" ? raw(value) : value));
}
