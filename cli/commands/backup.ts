/** `tidegate backup` and `restore`: a whole domain at one moment. */
import { resolve } from "node:path";
import { type Command, EXIT, text, UsageError } from "../command.ts";
import { type Connection, connect, CONNECTION, inWords } from "../connection.ts";
import { readable, writeWhole } from "../files.ts";

export const backup: Command = {
  summary: "writes a backup of the domain as it is at one moment",
  usage: "--out FILE | --to NAME",
  takes: [0, 0],
  options: {
    ...CONNECTION,
    out: { type: "string", value: "FILE", help: "on this machine" },
    to: { type: "string", value: "NAME", help: "in the R2 bucket TIDEGATE_BACKUPS of the Worker" },
  },
  details: "Needs the administrator's token, TIDEGATE_ADMIN_TOKEN. The file is there when the backup is whole.",
  async run(given, terminal) {
    const [file, name] = [text(given, "out"), text(given, "to")];
    if ((file === undefined) === (name === undefined)) throw new UsageError("give either --out FILE or --to NAME");
    const from = await connect(given, terminal, "TIDEGATE_ADMIN_TOKEN");
    const path = name === undefined ? "/admin/backup" : `/admin/backup?to=${encodeURIComponent(name)}`;
    const response = await from.longPost(path);
    if (file === undefined) terminal.out(await inWords(from.url, () => response.text()));
    else {
      await writeWhole(terminal.cwd, file, response.body as unknown as AsyncIterable<Uint8Array>);
      terminal.err(`${file} holds the backup`);
    }
    return EXIT.done;
  },
};

export const restore: Command = {
  summary: "takes a backup into an empty domain",
  usage: "<file> | --from NAME",
  takes: [0, 1],
  options: {
    ...CONNECTION,
    from: { type: "string", value: "NAME", help: "in the R2 bucket TIDEGATE_BACKUPS of the Worker" },
  },
  details:
    "Needs the administrator's token, TIDEGATE_ADMIN_TOKEN. Nothing is served before all of it is found to be sound. When it breaks off, the same command goes on.",
  async run(given, terminal) {
    const [file] = given.positionals;
    const name = text(given, "from");
    if ((file === undefined) === (name === undefined)) throw new UsageError("give either a file or --from NAME");
    const to = await connect(given, terminal, "TIDEGATE_ADMIN_TOKEN");
    terminal.out(await (name === undefined ? upload(to, resolve(terminal.cwd, file ?? "")) : fromBucket(to, name)));
    return EXIT.done;
  },
};

async function fromBucket(to: Connection, name: string): Promise<string> {
  return inWords(to.url, async () => (await to.longPost(`/admin/restore?from=${encodeURIComponent(name)}`)).text());
}

async function upload(to: Connection, path: string): Promise<string> {
  const body = await readable(path, "backup");
  // Who is not let in is told so at once: said while the body is sent, it might be lost with the connection.
  await to.request("/admin/partitions");
  return inWords(to.url, async () => (await to.longPost("/admin/restore", body)).text());
}
