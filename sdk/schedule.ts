/** What a service declares to recur: `schedules: { nightly: { cron: "0 3 * * *", key: "all", function: "report" } }`. */

import type { Contract } from "./contract.ts";
import { parseCron } from "./cron.ts";
import { misconfigured } from "./errors.ts";
import type { ArgumentsOf, WriterNames } from "./infer.ts";
import { checkKey } from "./keys.ts";
import { SCHEDULE_NAME_MAX, SCHEDULES_MAX } from "./limits.ts";
import { encodeValue } from "./values.ts";

/** One of them: a message to a function of one key of the service, at each such time (UTC). */
export type Schedule<C extends Contract> = {
  [N in WriterNames<C["functions"]> & string]: {
    readonly cron: string;
    readonly key: string;
    readonly function: N;
  } & InputFor<ArgumentsOf<C["functions"][N]>>;
}[WriterNames<C["functions"]> & string];
type InputFor<Arguments extends readonly unknown[]> = Arguments extends []
  ? { readonly input?: undefined }
  : Arguments extends [infer I]
    ? { readonly input: I }
    : { readonly input?: Arguments[0] };

/** By their names, which are unique in the service. One that is not declared any more recurs no more. */
export type Schedules<C extends Contract> = Readonly<Record<string, Schedule<C>>>;

/** As the engine sees it. */
export interface ScheduleDefinition {
  readonly name: string;
  readonly cron: string;
  readonly key: string;
  readonly function: string;
  /** State-codec text; empty for none. */
  readonly input: string;
}

/** Any text of 1 to 128 characters. @throws TidegateError `misconfigured` */
export function checkScheduleName(name: unknown): void {
  if (typeof name === "string" && name.length > 0 && name.length <= SCHEDULE_NAME_MAX && name.isWellFormed()) return;
  throw misconfigured(`the name of a schedule has 1 to ${SCHEDULE_NAME_MAX} characters`);
}

/** @throws TidegateError `misconfigured` */
export function schedulesOf(contract: Contract, schedules: Readonly<Record<string, unknown>>): ScheduleDefinition[] {
  const entries = Object.entries(schedules) as Array<
    [string, { [M in "cron" | "key" | "function"]: string } & { input?: unknown }]
  >;
  if (entries.length > SCHEDULES_MAX)
    throw misconfigured(`service "${contract.name}" declares more than ${SCHEDULES_MAX} schedules`);
  return entries.map(([name, { cron, key, function: target, input }]) => {
    checkScheduleName(name);
    checkKey(key);
    parseCron(cron);
    if (contract.functions[target]?.kind !== "fn")
      throw misconfigured(`the schedule "${name}" is for no function of service "${contract.name}" that may write`);
    return Object.freeze({ name, cron, key, function: target, input: input === undefined ? "" : encodeValue(input) });
  });
}
