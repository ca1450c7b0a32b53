/** What functions throw that nobody else is told of, for the log. */
import { isBuiltin } from "../../sdk/builtin/service.ts";
import { type Activation, isTried, type Outcome } from "./attempt.ts";
import type { TransactionOwner } from "./owner.ts";

/**
 * What the caller of an activation is told. Of a tried call that has failed it may tell nobody, and its caller is not shown what was thrown: so the log is
 * told, unless that of another partition was. Nobody sees either what else the engine's own have tried, as sagas try their steps.
 */
export function tellCaller(owner: TransactionOwner, activation: Activation, outcome: Outcome): void {
  const { scope, target } = activation;
  const tried = isTried(activation);
  const told: Outcome = tried && scope.failure ? { ok: false, failure: scope.failure } : outcome;
  owner.emit({ kind: "settle", activation, outcome: told });
  if (told.ok || !tried || activation.remote !== null) return;
  const { failure } = told;
  const isThrown = failure.kind === "thrown" && failure.elsewhere !== true;
  if (isThrown || (failure.kind === "engine" && isBuiltin(target.service.contract)))
    report(owner, activation, failure.error);
}

export function report(owner: TransactionOwner, { attempt, target }: Activation, error: unknown): void {
  const { service, name, key } = target;
  const message = `${service.contract.name}.${name} on ${JSON.stringify(key)} failed`;
  const of = attempt.root === null ? {} : { transaction: attempt.root.requestId };
  const members = { ...of, service: service.contract.name, function: name, key, error };
  owner.emit({ kind: "report", level: "error", message, members });
}
