/** Finding the function that a name and key mean, with the errors for those that mean none. */
import type { AppDefinition } from "../../sdk/app.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { entityKey } from "../state/state-key.ts";
import type { Target } from "../transaction/attempt.ts";

/** @throws TidegateError `unknown-service` or `unknown-function` */
export function resolveTarget(app: AppDefinition, service: string, key: string, name: string): Target {
  const definition = app.services.get(service);
  if (!definition) throw new TidegateError("unknown-service", `there is no service "${service}"`);
  const contract = definition.contract.functions[name];
  if (!contract) throw new TidegateError("unknown-function", `service "${service}" has no function "${name}"`);
  return { service: definition, name, contract, key, entity: entityKey(service, key) };
}
