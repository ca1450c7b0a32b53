/** Judges answers: what can be told beforehand at once, and the rest is remembered for the audit. */
import { type Call, type Outcome, outcomeOf, same, type Times } from "./calls.ts";
import type { Customer } from "./customer.ts";
import { differs } from "./findings.ts";
import type { Answer } from "./http.ts";
import type { OrderTimes } from "./order-times.ts";
import type { Shelf } from "./shelf.ts";
import type { Tally } from "./tally.ts";

/** What is remembered of a run besides its customers. */
export interface Memory {
  /** By key. */
  readonly shelves: ReadonlyMap<string, Shelf>;
  readonly orders: OrderTimes;
  readonly counter: Counter;
  /** Refused checkouts by the refusal. */
  readonly refusals: Map<string, number>;
  readonly faults: string[];
}

/** What acknowledged calls brought, apart from orders. */
export interface Counter {
  /** Deposited. */
  cents: number;
  /** Delivered, less what was sold at the counter. */
  pieces: number;
}

/** A call on its way. */
export interface Sent {
  readonly call: Call;
  /** Whose call it is; nobody's for the warehouse. */
  readonly customer: Customer | undefined;
  /** The first answer; every other must say the same. */
  outcome: Outcome | undefined;
}

/** Tallies of checkouts and of all other calls. */
export interface Tallies {
  readonly checkouts: Tally;
  readonly others: Tally;
}

export const tallyOf = ({ checkouts, others }: Tallies, { call }: Sent): Tally =>
  call.function === "checkout" ? checkouts : others;

interface Judged {
  readonly status: number;
  readonly body: unknown;
  readonly replayed: boolean;
  readonly times: Times;
}

/** Judges one answer to a call. */
export function judge(memory: Memory, tallies: Tallies, sent: Sent, { status, body, replayed, times }: Judged): void {
  const { call } = sent;
  const name = `${call.service}.${call.function} on "${call.key}"`;
  const tally = tallyOf(tallies, sent);
  const outcome = outcomeOf(status, body);
  tally.replayed += replayed ? 1 : 0;
  if (outcome === undefined) return void memory.faults.push(differs(name, "a result or a refusal", body));
  if (sent.outcome !== undefined) {
    if (!same(sent.outcome, outcome)) memory.faults.push(differs(`${name}, repeated`, sent.outcome, outcome));
    return;
  }
  sent.outcome = outcome;
  tally.answered += 1;
  tally.refused += "refusal" in outcome ? 1 : 0;
  const fault =
    call.service === "stock"
      ? memory.shelves.get(call.key)?.take(call, outcome, times)
      : sent.customer?.take(call, outcome);
  if (fault !== undefined) memory.faults.push(`${name}: ${fault}`);
  remember(memory, call, outcome, times);
}

/** What a call tells of sums, orders and stock. */
function remember({ shelves, orders, counter, refusals }: Memory, call: Call, outcome: Outcome, times: Times): void {
  if ("result" in outcome) {
    if (call.function === "deposit") counter.cents += call.input.amount;
    if (call.function === "restock") counter.pieces += call.input.quantity;
    if (call.function === "reserve") counter.pieces -= call.input.quantity;
  }
  if (call.function === "cancel" && "result" in outcome) orders.cancelled(call.key, times);
  if (call.function !== "checkout") return;
  if ("refusal" in outcome) refusals.set(outcome.refusal, (refusals.get(outcome.refusal) ?? 0) + 1);
  if ("result" in outcome) orders.placed((outcome.result as { readonly order: string }).order, times);
  else if (outcome.refusal === "cart/out-of-stock") {
    const { item, left } = outcome.data as { readonly item: string; readonly left: number };
    shelves.get(item)?.refused(left, times);
  }
}

interface ResultLine {
  readonly line: number;
  readonly status: number;
  readonly result?: unknown;
  readonly problem?: unknown;
  readonly replayed?: boolean;
}

/** Judges the answer to a batch, in the order of its lines, which is the order in which a customer's calls took effect. */
export function judgeBatch(
  memory: Memory,
  tallies: Tallies,
  sent: readonly Sent[],
  answer: Answer,
  times: Times,
): void {
  if (answer.status !== 200) throw new Error(`a batch was answered ${answer.status}: ${answer.text}`);
  const results = new Map<number, ResultLine>();
  for (const text of answer.text.split("\n")) {
    if (text === "") continue;
    const result = JSON.parse(text) as ResultLine;
    if (results.has(result.line) || sent[result.line - 1] === undefined)
      memory.faults.push(`a batch of ${sent.length} lines answered line ${result.line} twice, or there is none`);
    results.set(result.line, result);
  }
  for (const [at, one] of sent.entries()) {
    const found = results.get(at + 1);
    if (found === undefined) memory.faults.push(`a batch of ${sent.length} lines has no answer to line ${at + 1}`);
    else {
      const { status, result, problem, replayed = false } = found;
      judge(memory, tallies, one, { status, body: status === 200 ? result : problem, replayed, times });
    }
  }
}
