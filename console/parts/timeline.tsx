/** One transaction on its way: when it was where, by partition and epoch. */
import { showEpoch, showMs } from "../format.ts";
import type { Transaction } from "../model.ts";

interface Bar {
  readonly name: string;
  readonly where: string;
  readonly kind: "whole" | "wait" | "call" | "epoch" | "failed";
  readonly depth: number;
  readonly from: number;
  readonly to: number;
}

export function Timeline({ transaction }: { readonly transaction: Transaction }) {
  const { at, endedAt } = transaction;
  const length = Math.max(1, endedAt - at);
  const bars = barsOf(transaction);
  return (
    <div class="timeline" role="table" aria-label="Timeline of the transaction">
      {bars.map((bar, index) => (
        <div class="bar" role="row" key={index}>
          <span class="what" role="rowheader" style={{ paddingLeft: `${bar.depth}rem` }}>
            {bar.name}
          </span>
          <span class="where" role="cell">
            {bar.where}
          </span>
          <span class="track" role="cell">
            <span
              class={`span ${bar.kind}`}
              style={{
                left: `${((bar.from - at) / length) * 100}%`,
                width: `max(3px, ${((bar.to - bar.from) / length) * 100}%)`,
              }}
            />
          </span>
          <span class="took" role="cell">
            {showMs(bar.to - bar.from)}
          </span>
        </div>
      ))}
    </div>
  );
}

function barsOf(transaction: Transaction): readonly Bar[] {
  const { trace, at, endedAt, partition, epoch } = transaction;
  const name = `${transaction.service}.${transaction.function}`;
  const own = `partition ${partition}`;
  const kind = transaction.status < 500 ? "whole" : "failed";
  const whole: Bar = { name, where: own, kind, depth: 0, from: at, to: endedAt };
  if (trace === null) return [whole];
  const depths: number[] = [];
  const calls = trace.calls.map((call, index): Bar => {
    const depth = call.parent === null ? 1 : (depths[call.parent] ?? 0) + 1;
    depths[index] = depth;
    return {
      name: `${call.service}.${call.function} (${call.key})${call.attempt > 1 ? `, attempt ${call.attempt}` : ""}`,
      where: call.partition === null ? own : `partition ${call.partition}`,
      kind: call.ok ? "call" : "failed",
      depth,
      from: call.startedAt,
      to: call.endedAt === 0 ? endedAt : call.endedAt,
    };
  });
  const bars: Bar[] = [whole];
  if (trace.startedAt > at)
    bars.push({ name: "waits to start", where: own, kind: "wait", depth: 1, from: at, to: trace.startedAt });
  bars.push(...calls);
  if (epoch === 0) return bars;
  const inEpoch = { where: `epoch ${showEpoch(epoch)}`, kind: "epoch", depth: 1 } as const;
  const prepared = trace.preparedAt === 0 ? endedAt : trace.preparedAt;
  bars.push({ ...inEpoch, name: "its epoch closes, and its record is written", from: trace.taggedAt, to: prepared });
  bars.push({ ...inEpoch, name: "all others are prepared, and it is decided", from: prepared, to: endedAt });
  return bars;
}
