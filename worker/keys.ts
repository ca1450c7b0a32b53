/** Where an address leads: service, key and function of a path, and the partition of a key. */
import type { Kernels } from "../core-wasm/types.ts";
import { partitionOfHash, type KeyGroupMap } from "../protocol/keygroups/map.ts";
import type { AppDefinition } from "../sdk/app.ts";
import type { FunctionContract } from "../sdk/contract.ts";
import { decodeKey } from "../sdk/keys.ts";
import { lastSegments } from "./address.ts";
import { refuse } from "./problems.ts";

/** One function of one key of one service. */
export interface Target {
  readonly service: string;
  /** Decoded. */
  readonly key: string;
  readonly function: string;
  readonly kind: FunctionContract["kind"];
}

/**
 * Reads `…/{service}/{key}/{function}`, before the last segment where that says what is asked of it.
 * @throws ProblemError `unknown-service`, `unknown-function`
 * @throws TidegateError `invalid-key`, `key-too-large`
 */
export function targetOf(app: AppDefinition, url: string, last: "" | "send" = ""): Target {
  const [service = "", segment = "", name = ""] = lastSegments(url, last === "" ? 3 : 4);
  const definition = app.services.get(service);
  if (definition === undefined) throw refuse("unknown-service", `there is no service ${JSON.stringify(service)}`);
  const declared = definition.contract.functions[name];
  if (declared === undefined) {
    throw refuse("unknown-function", `the service "${service}" has no function ${JSON.stringify(name)}`);
  }
  return { service, key: decodeKey(segment), function: name, kind: declared.kind };
}

/** Partition that owns a service's key, or, by its name, a stream. */
export function partitionOf(kernels: Kernels, map: KeyGroupMap, key: string): number {
  return partitionOfHash(map, kernels.hashKey(key));
}
