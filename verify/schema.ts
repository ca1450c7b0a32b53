/** Schemas of the verification's contracts, which need no library. */
import type { Schema } from "../sdk/index.ts";

/** What passes a test, with its JSON Schema for documents. */
export function checked<T>(test: (value: unknown) => boolean, jsonSchema: object): Schema<T, T> {
  const schema = {
    "~standard": {
      version: 1 as const,
      vendor: "tidegate",
      validate: (value: unknown) =>
        test(value) ? { value: value as T } : { issues: [{ message: "has another shape" }] },
      jsonSchema: { input: () => ({ ...jsonSchema }), output: () => ({ ...jsonSchema }) },
    },
  };
  return schema as unknown as Schema<T, T>;
}

export function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

export function whole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
