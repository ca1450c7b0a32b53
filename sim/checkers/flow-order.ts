/** The order in which a flow has taken its batches: each whole, each that was acknowledged, none twice, none that came to nothing; in real time and by producers. */
import type { SentBatch } from "../flows/history.ts";
import type { Finding } from "./finding.ts";

export type FlowOrderAnomaly =
  | "batch-torn"
  | "batch-repeated"
  | "batch-missing"
  | "batch-unsent"
  | "batch-undone"
  | "batch-reordered"
  | "producer-reordered";

export interface TakenOrder {
  readonly batches: readonly SentBatch[];
  readonly findings: ReadonlyArray<Finding<FlowOrderAnomaly>>;
}

/**
 * @param sent what may be there
 * @param numbers of events, as the flow has taken them
 */
export function orderOfEvents(flow: string, sent: readonly SentBatch[], numbers: readonly number[]): TakenOrder {
  const findings: Finding<FlowOrderAnomaly>[] = [];
  const owner = new Map(sent.flatMap((batch) => batch.events.map(({ n }) => [n, batch] as const)));
  const batches: SentBatch[] = [];
  for (let at = 0; at < numbers.length;) {
    const n = numbers[at] as number;
    const batch = owner.get(n);
    if (batch === undefined) {
      findings.push(finding("batch-unsent", `flow ${flow} has taken event ${n}, which nobody sent`));
      at += 1;
      continue;
    }
    const { events, name } = batch;
    const taken = numbers.slice(at, at + events.length);
    if (taken.join() !== events.map((event) => event.n).join()) {
      const explanation = `flow ${flow} has taken ${taken.join(", ")} where ${name} is ${events.map((event) => event.n).join(", ")}`;
      findings.push(finding("batch-torn", explanation, name));
      at += 1;
      continue;
    }
    batches.push(batch);
    at += events.length;
  }
  return { batches, findings: [...findings, ...checkOrder(flow, sent, batches)] };
}

/** Of batches that are known to be whole. */
export function checkOrder(
  flow: string,
  sent: readonly SentBatch[],
  batches: readonly SentBatch[],
): Finding<FlowOrderAnomaly>[] {
  const findings: Finding<FlowOrderAnomaly>[] = [];
  const there = new Set<SentBatch>();
  const sequences = new Map<string, number>();
  /** Of what has not come yet, the first that somebody knew to be taken. */
  const behind = earliest(batches.map(({ emitted, taken }) => (emitted ? null : taken) ?? Infinity));
  for (const [at, batch] of batches.entries()) {
    const { name, producer } = batch;
    if (there.has(batch)) findings.push(finding("batch-repeated", `flow ${flow} has taken ${name} twice`, name));
    there.add(batch);
    if (batch.undone) {
      findings.push(finding("batch-undone", `flow ${flow} has taken ${name}, whose transaction was undone`, name));
    }
    if ((behind[at + 1] ?? Infinity) < batch.invoked) {
      const explanation = `flow ${flow} has taken ${name} before one that was acknowledged before it was sent`;
      findings.push(finding("batch-reordered", explanation, name));
    }
    if (producer === null) continue;
    const stream = `${batch.stream} ${producer.name}`;
    if (producer.sequence !== (sequences.get(stream) ?? 0) + 1) {
      const explanation = `flow ${flow} has taken number ${producer.sequence} of ${producer.name} behind ${sequences.get(stream)}`;
      findings.push(finding("producer-reordered", explanation, name));
    }
    sequences.set(stream, producer.sequence);
  }
  for (const batch of sent) {
    if (batch.taken === null || there.has(batch)) continue;
    findings.push(
      finding(
        "batch-missing",
        `${batch.name} of ${batch.stream} was acknowledged, and flow ${flow} has not taken it`,
        batch.name,
      ),
    );
  }
  return findings;
}

/** At each place the least of what is there and behind it. */
function earliest(values: readonly number[]): number[] {
  const least = [...values];
  for (let at = least.length - 2; at >= 0; at--) least[at] = Math.min(least[at] as number, least[at + 1] as number);
  return least;
}

function finding(
  anomaly: FlowOrderAnomaly,
  explanation: string,
  ...operations: readonly string[]
): Finding<FlowOrderAnomaly> {
  return { anomaly, explanation, operations };
}
