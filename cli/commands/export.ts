/** `tidegate export`: a service's state as it is at one moment. */
import { type Command, EXIT, Failure, text } from "../command.ts";
import { connect, CONNECTION, inWords } from "../connection.ts";
import { writeWhole } from "../files.ts";
import { linesOf } from "../lines.ts";

export const exportCommand: Command = {
  summary: "writes a service's state, a line of JSON for each value and entry, as it is at one moment",
  usage: "<service>",
  takes: [1, 1],
  options: { ...CONNECTION, out: { type: "string", value: "FILE", help: "default: standard output" } },
  details: "Needs the administrator's token, TIDEGATE_ADMIN_TOKEN.",
  async run(given, terminal) {
    const [service = ""] = given.positionals;
    const from = await connect(given, terminal, "TIDEGATE_ADMIN_TOKEN");
    const response = await from.request(`/admin/export?service=${encodeURIComponent(service)}`);
    const file = text(given, "out");
    await inWords(from.url, async () => {
      const lines = whole(response);
      if (file !== undefined) return writeWhole(terminal.cwd, file, ended(lines));
      for await (const line of lines) terminal.out(line);
    });
    return EXIT.done;
  },
};

async function* ended(lines: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  for await (const line of lines) yield `${line}\n`;
}

/** The lines but the last, which counts them. @throws Failure when it does not, or is not there */
async function* whole(response: Response): AsyncGenerator<string, void, void> {
  let count = 0;
  let last: string | undefined;
  if (response.body !== null) {
    for await (const line of linesOf(response.body as unknown as AsyncIterable<Uint8Array>)) {
      if (last !== undefined) {
        count += 1;
        yield last;
      }
      last = line;
    }
  }
  if (last !== `{"lines":${count}}`) throw new Failure(`the export is cut short after ${count} lines; try again`);
}
