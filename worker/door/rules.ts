/** What callers may do: the rules of services, streams and views, asked at the edge for whatever comes from outside. */
import { logEntry } from "../../protocol/observe/log-entry.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { type Allow, type Caller, everyone } from "../../sdk/caller.ts";
import { type ProblemError, refuse } from "../problems.ts";
import { missing } from "./secrets.ts";

/** Whether anything is open to callers without a credential. */
export function hasPublic(app: AppDefinition): boolean {
  const ofServices = [...app.services.values()].flatMap(({ allow }) => Object.values(allow));
  const { streams, flows, views } = app.door;
  const tables = [...Object.values(streams), ...Object.values(flows), views];
  return [...ofServices, ...tables.flatMap((table) => [...table.values()])].includes(everyone);
}

/** Whether a function is open to callers without a credential. */
export function isPublic(app: AppDefinition, service: string, name: string): boolean {
  return app.services.get(service)?.allow[name] === everyone;
}

export function mayCall(app: AppDefinition, caller: Caller, service: string, key: string, name: string): boolean {
  return caller.kind === "owner" || passes(app.services.get(service)?.allow[name], caller, key);
}

/** @throws ProblemError `forbidden`, or `unauthorized` for who has shown no credential */
export function requireCall(app: AppDefinition, caller: Caller, service: string, key: string, name: string): void {
  if (!mayCall(app, caller, service, key, name)) throw denied(caller);
}

/** @param key of the view's rows, or the name of a stream or flow. @throws ProblemError */
export function requireFlow(rules: ReadonlyMap<string, Allow>, caller: Caller, name: string, key: string): void {
  if (caller.kind !== "owner" && !passes(rules.get(name), caller, key)) throw denied(caller);
}

/** For what belongs to the whole app, and not to a key. @throws ProblemError */
export function requireOwner(caller: Caller): void {
  if (caller.kind !== "owner") throw denied(caller);
}

/** For what shows how the app does, and nothing of its data: the owner, and static keys with the role `metrics`. @throws ProblemError */
export function requireMetrics(caller: Caller): void {
  if (caller.kind !== "owner" && !(caller.kind === "key" && caller.roles.includes("metrics"))) throw denied(caller);
}

/** For what tells no data, but what there is. @throws ProblemError */
export function requireCredential(caller: Caller): void {
  if (caller.kind === "anonymous") throw denied(caller);
}

function passes(rule: Allow | undefined, caller: Caller, key: string): boolean {
  if (rule === undefined) return false;
  if (rule === everyone) return true;
  if (caller.kind === "anonymous") return false;
  try {
    return rule(caller, key) === true;
  } catch (error) {
    console.error(logEntry("tidegate: a rule of what is allowed threw, which counts as no", { error }));
    return false;
  }
}

export function denied(caller: Caller): ProblemError {
  if (caller.kind === "anonymous") return missing();
  return refuse("forbidden", "no rule allows it; nothing was done");
}
