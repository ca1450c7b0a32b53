/** A directory of people, whose state changes its form from one version to the next. */
import { contract, fn, query } from "../../sdk/index.ts";
import * as z from "zod";

export const Person = contract("person", {
  name: fn({ input: z.object({ name: z.string() }) }),
  note: fn({ input: z.object({ at: z.number(), text: z.string() }) }),
  /** Writes an entry without having looked at anything. */
  noteBlindly: fn({ input: z.object({ at: z.number(), text: z.string() }) }),
  forget: fn(),
  show: query({ output: z.any() }),
  notes: query({ output: z.any() }),
});
