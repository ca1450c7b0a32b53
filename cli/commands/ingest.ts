/** `tidegate ingest`: events from a file or from standard input, in batches that may be sent again. */
import { resolve } from "node:path";
import type { Accepted } from "../../sdk/client/types.ts";
import { type Command, EXIT, headerText, whole } from "../command.ts";
import { connect, CONNECTION, inWords } from "../connection.ts";
import { readable } from "../files.ts";
import { BATCH_CHARACTERS, BATCH_LINES, BATCH_LINES_MAX } from "../limits.ts";
import { batchesOf, linesOf } from "../lines.ts";

export const ingest: Command = {
  summary: "sends events to a stream, a line of JSON each, from a file or standard input",
  usage: "<stream> [file]",
  takes: [1, 2],
  options: {
    ...CONNECTION,
    lines: { type: "string", value: "N", help: `events a batch; default ${BATCH_LINES}, at most ${BATCH_LINES_MAX}` },
    name: {
      type: "string",
      value: "NAME",
      help: "of these events: sent again under the same name within 24 hours they are taken once",
    },
  },
  details:
    "Each batch is taken whole or not at all. It stops at the first that is refused; those before it are taken. With the same --name and --lines the same file may be sent again.",
  async run(given, terminal) {
    const [stream = "", file] = given.positionals;
    const lines = whole(given, "lines", BATCH_LINES, 1, BATCH_LINES_MAX);
    const name = headerText(given, "name") ?? crypto.randomUUID();
    const to = await connect(given, terminal);
    const source =
      file === undefined || file === "-" ? terminal.stdin : await readable(resolve(terminal.cwd, file), "events");
    let [accepted, late, batches] = [0, 0, 0];
    await inWords(to.url, async () => {
      for await (const batch of batchesOf(linesOf(source), lines, BATCH_CHARACTERS)) {
        const answer = await to.transport.send(
          {
            method: "POST",
            path: `/v1/streams/${encodeURIComponent(stream)}`,
            body: batch.join("\n"),
            type: "application/x-ndjson",
            idempotencyKey: `${name}-${lines}-${batches}`,
          },
          (response) => response.json() as Promise<Accepted>,
        );
        batches += 1;
        accepted += answer.accepted;
        for (const count of Object.values(answer.late ?? {})) late += count;
      }
    }).finally(() => terminal.err(`${accepted} events in ${batches} batches, ${late} late`));
    terminal.out(JSON.stringify({ accepted, late, batches }));
    return EXIT.done;
  },
};
