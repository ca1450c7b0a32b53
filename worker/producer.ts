/** Who sends a batch and the how-manieth it is, where a producer numbers its batches instead of making an Idempotency-Key for each. */
import { LIMITS } from "./limits.ts";
import { refuse } from "./problems.ts";

export interface Produced {
  readonly producer: string;
  /** 1 and up. */
  readonly sequence: number;
}

const PRINTABLE = /^[!-~]+$/;
const NUMBER = /^[1-9][0-9]{0,15}$/;

/** From `Tidegate-Producer` and `Tidegate-Sequence`; null when the request has neither. @throws ProblemError `invalid-sequence` */
export function produced(request: Request): Produced | null {
  const producer = request.headers.get("tidegate-producer");
  const text = request.headers.get("tidegate-sequence");
  if (producer === null && text === null) return null;
  if (producer === null || text === null) {
    throw refuse("invalid-sequence", "Tidegate-Producer and Tidegate-Sequence come together");
  }
  if (request.headers.has("idempotency-key")) {
    throw refuse("invalid-sequence", "a batch has an Idempotency-Key or a sequence number, not both");
  }
  if (!PRINTABLE.test(producer) || producer.length > LIMITS.producerChars) {
    throw refuse(
      "invalid-sequence",
      `Tidegate-Producer is 1 to ${LIMITS.producerChars} printable ASCII characters without spaces`,
    );
  }
  const sequence = Number(text);
  if (!NUMBER.test(text) || !Number.isSafeInteger(sequence)) {
    throw refuse(
      "invalid-sequence",
      "Tidegate-Sequence is a whole number: 1 for the first batch, then one more for each",
    );
  }
  return { producer, sequence };
}
