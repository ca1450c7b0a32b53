/** What the domain does now. */
import { showBytes, showLatency, showNumber } from "../format.ts";
import { countOf, type Live, quantile } from "../live.ts";
import type { Overview, Partition } from "../model.ts";
import { OUTCOMES } from "../model.ts";
import { Figure } from "../parts/chart.tsx";
import { Empty } from "../parts/states.tsx";

export function OverviewView({ live }: { readonly live: Live }) {
  const { now, samples } = live;
  if (now === null) return <Empty>Asking the partitions…</Empty>;
  const last = samples.at(-1);
  return (
    <>
      <section class="figures" aria-label="Now">
        <Figure
          name="transactions a second"
          value={showNumber(last?.perSecond)}
          series={samples.map((each) => each.perSecond)}
        />
        <Figure
          name="errors a second"
          value={showNumber(last?.errorsPerSecond)}
          series={samples.map((each) => each.errorsPerSecond)}
        />
        <Figure name="latency, half" value={showLatency(last?.p50 ?? null)} series={samples.map((each) => each.p50)} />
        <Figure name="latency, 99 %" value={showLatency(last?.p99 ?? null)} series={samples.map((each) => each.p99)} />
        <Figure
          name="epochs a second"
          value={showNumber(last?.epochsPerSecond)}
          series={samples.map((each) => each.epochsPerSecond)}
        />
        <Figure
          name="transactions an epoch"
          value={showNumber(last?.epochSize)}
          series={samples.map((each) => each.epochSize)}
        />
        <Figure
          name="ms to decide an epoch"
          value={showNumber(last?.epochMs)}
          series={samples.map((each) => each.epochMs)}
        />
      </section>
      <Outcomes now={now} />
      <Partitions now={now} perSecond={last?.partitions ?? []} />
      <CoordinatorSection now={now} />
    </>
  );
}

function Outcomes({ now }: { readonly now: Overview }) {
  const total = (at: number): number =>
    now.partitions.reduce((sum, partition) => sum + (partition?.observed.outcomes[at] ?? 0), 0);
  const replays = now.partitions.reduce((sum, partition) => sum + (partition?.observed.replays ?? 0), 0);
  const restarts = now.partitions.reduce((sum, partition) => sum + (partition?.observed.restarts ?? 0), 0);
  return (
    <section>
      <h2>Since the objects started</h2>
      <dl class="counts">
        {OUTCOMES.map((outcome, at) => (
          <div key={outcome} class={at >= 4 && total(at) > 0 ? "bad" : ""}>
            <dt>{outcome}</dt>
            <dd data-outcome={outcome}>{showNumber(total(at))}</dd>
          </div>
        ))}
        <div>
          <dt>replayed</dt>
          <dd>{showNumber(replays)}</dd>
        </div>
        <div>
          <dt>run again</dt>
          <dd>{showNumber(restarts)}</dd>
        </div>
      </dl>
    </section>
  );
}

function Partitions({ now, perSecond }: { readonly now: Overview; readonly perSecond: readonly number[] }) {
  return (
    <section>
      <h2>Partitions</h2>
      <div class="wide">
        <table>
          <thead>
            <tr>
              {[
                "",
                "phase",
                "a second",
                "running",
                "waiting",
                "locked keys",
                "undecided",
                "messages",
                "in memory",
                "not folded / keys",
                "database",
                "records",
                "starts",
                "alarm",
              ].map((name, at) => (
                <th key={name} class={at > 1 ? "number" : ""}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {now.partitions.map((partition, at) => (
              <PartitionRow key={at} number={at} partition={partition} perSecond={perSecond[at]} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function PartitionRow({
  number,
  partition,
  perSecond,
}: {
  readonly number: number;
  readonly partition: Partition | null;
  readonly perSecond: number | undefined;
}) {
  if (partition === null)
    return (
      <tr class="bad">
        <th scope="row">{number}</th>
        <td colSpan={13}>does not answer</td>
      </tr>
    );
  const { status } = partition;
  const cells = [
    showNumber(perSecond),
    showNumber(status.attempts),
    showNumber(status.waiting + status.held),
    showNumber(status.locks),
    showNumber(status.undecided),
    showNumber(status.outbox),
    showBytes(status.cachedBytes),
    `${showBytes(status.unfoldedBytes)} / ${showNumber(status.unfoldedKeys)}`,
    showBytes(partition.databaseBytes),
    showNumber(partition.records.count),
    showNumber(partition.used.starts),
    partition.alarmAt === null ? "–" : "set",
  ];
  return (
    <tr class={status.phase === "up" ? "" : "odd"}>
      <th scope="row">{number}</th>
      <td>{status.moving > 0 ? "moving" : status.phase}</td>
      {cells.map((cell, at) => (
        <td key={at} class="number">
          {cell}
        </td>
      ))}
    </tr>
  );
}

function CoordinatorSection({ now }: { readonly now: Overview }) {
  const { coordinator } = now;
  if (coordinator === null) return <p class="failure">The coordinator does not answer.</p>;
  const { epochs, status } = coordinator;
  const facts: readonly (readonly [string, string])[] = [
    ["phase", status.phase],
    ["generation", String(status.generation)],
    ["members of the open epoch", status.members.length === 0 ? "none" : status.members.join(", ")],
    ["epochs committed", showNumber(epochs?.committed ?? 0)],
    ["epochs aborted", showNumber(epochs?.aborted ?? 0)],
    ["half are decided in", epochs === null ? "–" : showLatency(quantile(epochs.duration, 0.5))],
    [
      "partitions an epoch",
      epochs === null || countOf(epochs.participants) === 0
        ? "–"
        : showNumber(epochs.participants.sum / countOf(epochs.participants)),
    ],
    ["map", `version ${now.map.version}, ${now.map.partitions} partitions`],
  ];
  return (
    <section>
      <h2>Coordinator</h2>
      <dl class="counts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
