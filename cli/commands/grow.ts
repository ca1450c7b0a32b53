/** `tidegate grow`: another number of partitions, while requests go on. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, EXIT, Failure, UsageError, whole } from "../command.ts";
import { type Connection, connect, CONNECTION } from "../connection.ts";
import { GROW_LOOK_MS, PARTITIONS_MAX, WAIT_DEFAULT_S, WAIT_MAX_S } from "../limits.ts";

/** What of the answer is looked at. */
interface Status {
  readonly partitions: number;
  readonly wanted: number;
  readonly phase: string;
  readonly transfers: number;
  readonly done: number;
  readonly lastPauseMs: number | null;
}

export const grow: Command = {
  summary: "changes the number of partitions while requests go on, and waits until keys have moved",
  usage: "<partitions>",
  takes: [1, 1],
  options: {
    ...CONNECTION,
    wait: { type: "string", value: "SECONDS", help: `how long; default ${WAIT_DEFAULT_S}, 0: not at all` },
  },
  details: "Needs the administrator's token, TIDEGATE_ADMIN_TOKEN. It shrinks, too.",
  async run(given, terminal) {
    const [number = ""] = given.positionals;
    const partitions = /^\d+$/.test(number) ? Number(number) : 0;
    if (partitions < 1 || partitions > PARTITIONS_MAX)
      throw new UsageError(`the number of partitions is from 1 to ${PARTITIONS_MAX}, not "${number}"`);
    const patience = whole(given, "wait", WAIT_DEFAULT_S, 0, WAIT_MAX_S) * 1_000;
    const to = await connect(given, terminal, "TIDEGATE_ADMIN_TOKEN");
    const body = JSON.stringify({ partitions });
    await to.request("/admin/partitions", { method: "POST", body, headers: { "content-type": "application/json" } });
    const status = await moved(to, partitions, patience, terminal.err);
    terminal.out(JSON.stringify(status));
    return EXIT.done;
  },
};

async function moved(
  to: Connection,
  partitions: number,
  patienceMs: number,
  say: (line: string) => void,
): Promise<Status> {
  const deadline = Date.now() + patienceMs;
  for (let said = ""; ; await sleep(GROW_LOOK_MS)) {
    const status = (await (await to.request("/admin/partitions")).json()) as Status;
    if (patienceMs === 0 || (status.phase === "still" && status.partitions === partitions)) return status;
    const text = `${status.phase}: ${status.done} of ${status.transfers} transfers done`;
    if (text !== said) say((said = text));
    if (Date.now() > deadline)
      throw new Failure(`keys still move after ${patienceMs / 1_000} s; it goes on, and the same command waits for it`);
  }
}
