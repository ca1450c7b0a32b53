/** What a partition's engine asks of its surroundings beyond what the simulator has: a log, and functions without side effects. */
import { type LogEntry, logEntry } from "../../protocol/observe/log-entry.ts";
import { PartitionInstance } from "../../sim/world/partition-instance.ts";
import { enclose } from "./guard.ts";

/** Told of what functions threw and nobody was answered: what the log of the Worker has. */
export type Log = (level: "error" | "warn", entry: LogEntry) => void;

export function equip(instance: unknown, log: Log): void {
  if (!(instance instanceof PartitionInstance)) return;
  const { host } = instance.engine;
  const { enclose: call, perform } = host;
  host.enclose = (act) => call(() => enclose(act));
  host.perform = (effect) => {
    if (effect.kind === "report") log(effect.level, logEntry(effect.message, effect.members));
    perform(effect);
  };
}

/** As a person reads it: the message, and under it what was thrown and where. */
export function toConsole(level: "error" | "warn", { message, error }: LogEntry): void {
  const thrown = typeof error === "object" ? (error.stack ?? `${error.name}: ${error.message}`) : error;
  console[level](thrown === undefined ? message : `${message}\n${thrown}`);
}
