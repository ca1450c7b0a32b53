/** The service that drawn flows ask: what it answers depends on nothing but the question. */
import { contract, query, service, type ServiceDefinition } from "../../../sdk/index.ts";
import { anything } from "../../clients/schema.ts";

export const lookups = contract("fl", {
  /** How much is added to an odd or even value of a key; null where there is none. */
  offset: query({ input: anything<number>(), output: anything<number | null>() }),
});

export function lookupService(): ServiceDefinition {
  return service(lookups, { state: () => null }, { offset: ({ key }, odd) => offsetOf(Number(key), odd) });
}

export function offsetOf(k: number, odd: number): number | null {
  return (k + odd) % 3 === 2 ? null : k + 1;
}
