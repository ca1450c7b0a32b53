/** Effects of running functions: checked when they are asked for, then kept with the attempt like the messages that they are. */
import { TidegateError } from "../../sdk/errors.ts";
import { validate } from "../../sdk/schema.ts";
import { decodeValue } from "../../sdk/values.ts";
import { isThenable } from "../execution/thenable.ts";
import { type Addressee, outsideLetter } from "../outside/work.ts";
import type { Activation } from "./attempt.ts";
import { assertSize, checkPosting, keepPosting } from "./sending.ts";
import type { Transactions } from "./transactions.ts";

/** What a function asks for. */
export interface OutsideRequest {
  readonly name: string;
  /** State-codec text; empty for none. */
  readonly input: string;
  readonly to: Addressee | null;
}

/**
 * A running function asks for an effect, which leaves when its transaction commits. One that is refused makes the transaction fail, whatever
 * the function catches.
 * @throws TidegateError when the function or its transaction has ended, for what the app does not have, and beyond a limit
 */
export function askOutside(transactions: Transactions, from: Activation, request: OutsideRequest): void {
  const { name, input, to } = request;
  const work = { to, at: from.attempt.at, failures: 0, notBefore: 0 };
  const letter = outsideLetter(from.target.entity, from.target.key, name, work, input);
  checkPosting(transactions, from, false, () => {
    assertKnown(transactions, request);
    assertSize(input);
  });
  keepPosting(from, letter);
}

/** @throws TidegateError */
function assertKnown(transactions: Transactions, { name, input, to }: OutsideRequest): void {
  const effect = transactions.app.effects.get(name);
  if (!effect) {
    throw new TidegateError(
      "misconfigured",
      `the app has no effect "${name}"; list it in tidegate({ effects: [...] })`,
    );
  }
  if (to && transactions.resolve(to.service, to.key, to.name).contract.kind === "query") {
    throw new TidegateError("method-not-allowed", `${to.service}.${to.name} only reads: it cannot be told anything`);
  }
  const checked = validate(effect.input, input === "" ? undefined : decodeValue(input));
  // An asynchronous schema has its say where the effect runs.
  if (isThenable(checked) || checked.ok) return;
  const issues = checked.issues.map(({ path, message }) => `${path || "/"}: ${message}`).join("; ");
  throw new TidegateError("invalid-input", `the input of effect "${name}" does not fit its schema: ${issues}`);
}
