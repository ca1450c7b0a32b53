/** A schema that lets everything pass: programs are made by the simulator, and a real one would cost more than the engine. */
import type { Schema } from "../../sdk/index.ts";

export function anything<T>(): Schema<T, T> {
  return { "~standard": { version: 1, vendor: "tidegate-sim", validate: (value) => ({ value: value as T }) } };
}
