/** Filters that are nothing but fields compared with values: what the window kernel takes as it is. */

export type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/** `field op value`; bigint for int64 and timestamp, number for float64, string for text. */
export interface FieldTest {
  readonly field: string;
  readonly op: Comparison;
  readonly value: bigint | number | string;
}
