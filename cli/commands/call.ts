/** `tidegate call`: one function of one key, as one transaction. */
import { type Command, EXIT, type Given, headerText, text, UsageError } from "../command.ts";
import { type Connection, connect, CONNECTION, inWords, segmentOf } from "../connection.ts";

export const call: Command = {
  summary: "calls a function of a service, and prints what it returns as JSON",
  usage: "<service> <key> <function> [input]",
  takes: [3, 4],
  options: {
    ...CONNECTION,
    "idempotency-key": { type: "string", value: "KEY", help: "repeated with the same key it is executed once" },
    send: { type: "boolean", help: "one-way: prints the message's id once it is kept" },
    delay: { type: "string", value: "30s", help: "with --send: when it is to be delivered" },
    snapshot: { type: "boolean", help: "a query that takes no locks, and may be stale" },
  },
  details: `The input is JSON: npx tidegate call account alice deposit '{"amount":5}'. A refusal is exit code 1, told on standard error.`,
  async run(given, terminal) {
    const [service = "", key = "", name = "", input] = given.positionals;
    if (input !== undefined && !isJson(input)) throw new UsageError(`the input is not JSON: ${input}`);
    if (text(given, "delay") !== undefined && given.values["send"] !== true)
      throw new UsageError("--delay is for --send");
    if (given.values["send"] === true && given.values["snapshot"] === true)
      throw new UsageError("--snapshot is for queries, and they are not sent to");
    const idempotencyKey = headerText(given, "idempotency-key") ?? crypto.randomUUID();
    const to = await connect(given, terminal);
    const path = `/v1/services/${encodeURIComponent(service)}/${segmentOf(key)}/${encodeURIComponent(name)}`;
    const answer = await inWords(to.url, () => ask(to, path, { input, idempotencyKey, given }));
    terminal.out(answer === "" ? "null" : answer);
    return EXIT.done;
  },
};

interface Asked {
  readonly input: string | undefined;
  readonly idempotencyKey: string;
  readonly given: Given;
}

function ask({ transport }: Connection, path: string, { input, idempotencyKey, given }: Asked): Promise<string> {
  const read = (response: Response): Promise<string> => response.text();
  if (given.values["snapshot"] === true) {
    const parameters = new URLSearchParams({ consistency: "snapshot", ...(input === undefined ? {} : { input }) });
    return transport.send({ method: "GET", path: `${path}?${parameters.toString()}` }, read);
  }
  const delay = text(given, "delay");
  const behind =
    given.values["send"] === true ? `/send${delay === undefined ? "" : `?delay=${encodeURIComponent(delay)}`}` : "";
  const body = input === undefined ? {} : { body: input };
  return transport.send({ method: "POST", path: path + behind, idempotencyKey, ...body }, read);
}

function isJson(input: string): boolean {
  try {
    JSON.parse(input);
    return true;
  } catch {
    return false;
  }
}
