/** Messages that an operator has sent again after they had failed for good: they come behind those that were sent after them. */
import type { MessageName } from "../checkers/message-order.ts";
import { Emitted } from "../flows/app.ts";
import type { Ledger } from "./ledger.ts";
import { nameOf } from "./steps.ts";

interface Shown {
  readonly service: string;
  readonly key: string;
  /** Of a message to a list, or an event. */
  readonly input?: { readonly from?: unknown; readonly number?: unknown; readonly n?: unknown };
}

/** An operator sends again all that it is shown. */
function shownOf(ledger: Ledger): Shown[] {
  return [...ledger.entries.values()].flatMap(({ request: { transaction }, answer }) => {
    const { ask } = transaction;
    if (ask.kind !== "dead" || ask.name !== "list" || answer?.status !== 200) return [];
    return (JSON.parse(answer.body) as { readonly letters: readonly Shown[] }).letters;
  });
}

export function messagesSentAgain(...ledgers: readonly Ledger[]): MessageName[] {
  return ledgers
    .flatMap(shownOf)
    .flatMap(({ service, key, input }) =>
      typeof input?.from === "string" && typeof input.number === "number"
        ? [{ sender: input.from, target: nameOf([service, key]), n: input.number }]
        : [],
    );
}

/** Numbers of events that functions have emitted. */
export function eventsSentAgain(ledger: Ledger): ReadonlySet<number> {
  const events = shownOf(ledger).filter(({ key }) => key === Emitted.name);
  return new Set(events.flatMap(({ input }) => (typeof input?.n === "number" ? [input.n] : [])));
}
