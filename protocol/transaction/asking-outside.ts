/** Effects of running functions: checked when they are asked for, then kept with the attempt like the messages that they are. */
import { issuesText } from "../../sdk/issues.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { type EffectDefinition } from "../../sdk/effect.ts";
import { checkKey } from "../../sdk/keys.ts";
import { EFFECT_SHARE_MAX_LENGTH, REPLY_ABOUT_MAX_LENGTH } from "../../sdk/limits.ts";
import { validate } from "../../sdk/schema.ts";
import { decodeValue } from "../../sdk/values.ts";
import { isThenable } from "../execution/thenable.ts";
import { type Addressee, named, outsideLetter } from "../outside/work.ts";
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
  const { mail } = transactions.owner;
  const room = { isFull: () => mail.isFullOf(name), what: `effects "${name}" of this partition are not over yet` };
  const letter = checkPosting(from, room, () => {
    const share = checkedShare(transactions, request);
    assertSize(input);
    const work = { to, at: from.attempt.at, failures: 0, notBefore: 0, ...named(share, mail.nextEffectKey()) };
    return outsideLetter(from.target.entity, from.target.key, name, work, input);
  });
  keepPosting(from, letter);
}

/** The share that it belongs to, if any. @throws TidegateError */
function checkedShare(transactions: Transactions, { name, input, to }: OutsideRequest): string | undefined {
  const effect = transactions.app.effects.get(name);
  if (!effect) {
    throw new TidegateError(
      "misconfigured",
      `the app has no effect "${name}"; list it in tidegate({ effects: [...] })`,
    );
  }
  if (to) checkAddressee(transactions, to);
  const value = input === "" ? undefined : decodeValue(input);
  const checked = validate(effect.input, value);
  // An asynchronous schema has its say where the effect runs: what it comes to here is nobody's to hear.
  if (isThenable(checked)) return void Promise.resolve(checked).catch(() => undefined);
  if (checked.ok) return shareOf(effect, checked.value);
  const issues = issuesText(checked.issues);
  throw new TidegateError("invalid-input", `the input of effect "${name}" does not fit its schema: ${issues}`);
}

/**
 * Whom to tell of an effect, a promise or a saga must be there: a message to it is kept when that is over, and then nobody could be told that it has no
 * target. What is no `reply(…)` may look like one. @throws TidegateError
 */
export function checkAddressee(transactions: Transactions, { service, key, name, about }: Addressee): void {
  checkKey(key);
  if (about !== undefined && (typeof about !== "string" || about.length > REPLY_ABOUT_MAX_LENGTH))
    throw new TidegateError("misconfigured", "whom to tell is made by `reply(…)`");
  if (transactions.resolve(service, key, name).contract.kind !== "query") return;
  throw new TidegateError("method-not-allowed", `${service}.${name} only reads: it cannot be told anything`);
}

/** Who cannot say it shares with all of its name: it is about turns only, and no reason to fail. */
function shareOf({ share }: EffectDefinition, input: unknown): string | undefined {
  if (!share) return undefined;
  try {
    const said: unknown = share(input);
    return typeof said === "string" ? said.slice(0, EFFECT_SHARE_MAX_LENGTH) : undefined;
  } catch {
    return undefined;
  }
}
