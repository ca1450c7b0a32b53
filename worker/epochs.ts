/** `Tidegate-Epoch` of a request: what a snapshot must not be older than. Callers send back what an answer told them. */
import { epochFits } from "../protocol/epochs/epoch.ts";
import type { Fingerprint } from "./dispatch.ts";
import { refuse } from "./problems.ts";

const FORM = /^(\d{1,7})\.(\d{1,10})$/;

/** As two u32, count and generation; undefined when none is named. @throws ProblemError `invalid-parameter` */
export function epochAskedFor(request: Request): Fingerprint | undefined {
  const text = request.headers.get("tidegate-epoch");
  if (text === null) return undefined;
  const [, generation, count] = FORM.exec(text) ?? [];
  if (epochFits(Number(generation), Number(count))) return [Number(count), Number(generation)];
  throw refuse("invalid-parameter", "the header Tidegate-Epoch is what an answer had under that name, such as 1.17");
}
