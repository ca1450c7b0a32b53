/** What is said of a block that cannot be read. */
import { CorruptError } from "../../../core-wasm/types.ts";
import { TidegateError } from "../../../sdk/errors.ts";
import type { Effect } from "../../partition/effects.ts";
import type { Block } from "./block.ts";

/**
 * Thrown where a read needs a damaged block. To callers it is an error of the engine with a type of its own; its cause is the CorruptError that
 * says which keys the block held.
 */
export function damagedData(block: Block, cause: unknown): TidegateError {
  const reason = cause instanceof CorruptError ? cause.reason : "checksum";
  const what = block.space === 0 ? "keys" : "results of requests";
  const range = `${what} from ${JSON.stringify(block.first)} to ${JSON.stringify(block.last)}`;
  const held = new CorruptError(reason, `block ${block.id}, which held ${block.rows} ${range}`);
  return new TidegateError("damaged-data", "what is stored there is damaged", { cause: held });
}

/** What the log of the partition is told. */
export function reportDamage(error: unknown): Effect {
  return { kind: "report", level: "error", message: "a block of this partition cannot be read", members: { error } };
}

export function isDamage(error: unknown): error is TidegateError {
  return error instanceof TidegateError && error.type === "damaged-data";
}
