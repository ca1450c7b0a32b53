/** From what clients asked for and were told to the history that the checkers judge. */
import type { Micro, Done } from "./clients/steps.ts";
import type { Entry, Ledger } from "./clients/ledger.ts";
import type { History, MicroOp, Operation } from "./checkers/history.ts";

/** Lists only: transfers and audits are judged by what they leave. */
export function historyOf(ledger: Ledger, wanted: (entry: Entry) => boolean): History {
  const operations: Operation[] = [];
  for (const entry of ledger.entries.values()) {
    const { ask } = entry.request.transaction;
    if (ask.kind !== "list" || !wanted(entry)) continue;
    const micro = microOf(entry);
    operations.push({
      name: `T${entry.request.transaction.number}`,
      process: entry.process,
      invoked: { index: entry.invoked, time: entry.invokedMs },
      completed: entry.completed === null ? null : { index: entry.completed, time: entry.completedMs },
      outcome: micro === null ? "info" : "ok",
      micro: micro ?? ask.appends,
    });
  }
  return operations;
}

const known = new WeakMap<Entry, MicroOp[] | null>();

/** What an answer shows; null when it leaves open what was done. Only of one that is the last. */
export function microOf(entry: Entry): MicroOp[] | null {
  let micro = known.get(entry);
  // Several checkers ask, and most of what they need is to read it.
  if (micro === undefined) known.set(entry, (micro = readMicro(entry)));
  return micro;
}

function readMicro({ answer, request }: Entry): MicroOp[] | null {
  const { ask } = request.transaction;
  if (!answer || ask.kind !== "list") return null;
  if (answer.status === 200) return (JSON.parse(answer.body) as Done).m as MicroOp[];
  if (answer.status !== 409) return null;
  // A refusal shows what was read; what the transaction itself had appended by then is undone.
  const { data } = JSON.parse(answer.body) as { data: Done };
  const own = new Set(ask.appends.map(([, , value]) => value as number));
  return data.m.map((micro): Micro =>
    micro[0] === "read" ? ["read", micro[1], micro[2].filter((value) => !own.has(value))] : micro,
  ) as MicroOp[];
}
