/** `GET /metrics`: what the objects of a domain count of themselves, in Prometheus' text format. They count from their start: counters begin anew with it. */
import type { CoordinatorFigures, PartitionFigures } from "../../protocol/observe/figures.ts";
import { OUTCOMES } from "../../protocol/observe/observer.ts";
import { requireMetrics } from "../door/rules.ts";
import type { Edge } from "../edge.ts";
import { answerHeaders } from "../headers.ts";
import { refuse } from "../problems.ts";
import { figuresOf, observedMap } from "./figures.ts";
import { addFlows } from "./flows.ts";
import { MetricsText } from "./text.ts";

const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";
const MS = 1 / 1_000;

export async function getMetrics({ backend, request, caller }: Edge): Promise<Response> {
  requireMetrics(caller);
  if (backend.observed === undefined) throw refuse("not-found", "there are no figures here");
  const map = await observedMap(backend);
  const { partitions, coordinator } = await figuresOf(backend.observed, map.partitions);
  const text = new MetricsText();
  for (const [partition, figures] of partitions.entries()) {
    text.gauge("tidegate_up", "Whether the partition answered.", { partition }, figures === null ? 0 : 1);
    if (figures !== null) addPartition(text, partition, figures);
  }
  text.gauge("tidegate_partitions", "Partitions of the domain.", {}, map.partitions);
  // One that does not answer decides nothing, as far as anybody can tell.
  const running = coordinator?.status.phase === "running" ? 1 : 0;
  text.gauge("tidegate_coordinator_running", "Whether the coordinator decides, and does not recover.", {}, running);
  if (coordinator !== null) addCoordinator(text, coordinator);
  return new Response(text.toString(), { headers: answerHeaders(request, PROMETHEUS) });
}

/** Gauges by the name of the status' member. */
const GAUGES = [
  ["waiting", "tidegate_requests_waiting", "Requests without an answer."],
  ["attempts", "tidegate_transactions_running", "Transactions that run or wait for an epoch."],
  ["locks", "tidegate_keys_locked", "Keys that are held or waited for."],
  ["undecided", "tidegate_epochs_undecided", "Epochs of which the decision is awaited."],
  ["unacknowledged", "tidegate_messages_unacknowledged", "Messages that other objects may not have."],
  ["held", "tidegate_messages_held", "Messages and requests that wait for the partition to be up."],
  ["outbox", "tidegate_outbox_messages", "One-way messages that are not delivered."],
  ["effects", "tidegate_effects", "Of these, effects that are not over."],
  ["suspected", "tidegate_messages_suspected", "Of these, messages that may end whoever runs them."],
  ["timers", "tidegate_timers", "Messages that wait for their time."],
  ["moving", "tidegate_moving", "Key groups go or come."],
  ["unfoldedBytes", "tidegate_unfolded_bytes", "Bytes of records that are not folded into state."],
  ["unfoldedKeys", "tidegate_unfolded_keys", "Keys with changes that are not folded."],
  ["cachedBytes", "tidegate_cached_bytes", "Bytes of state in memory."],
] as const;

function addPartition(text: MetricsText, partition: number, figures: PartitionFigures): void {
  const labels = { partition };
  const { status, observed, used, records } = figures;
  for (const [at, outcome] of OUTCOMES.entries()) {
    const count = observed.outcomes[at] ?? 0;
    text.counter("tidegate_transactions_total", "Transactions by outcome.", { partition, outcome }, count);
  }
  const duration = "Seconds from a transaction's admission to its answer.";
  text.histogram("tidegate_transaction_duration_seconds", duration, labels, observed.latency, MS);
  const restarts = "Attempts of transactions beyond their first.";
  text.counter("tidegate_transaction_restarts_total", restarts, labels, observed.restarts);
  text.counter(
    "tidegate_replays_total",
    "Requests that were answered from what is recorded.",
    labels,
    observed.replays,
  );
  const own = "Transactions of the engine itself, such as those that fire timers.";
  text.counter("tidegate_internal_transactions_total", own, labels, observed.internal);
  const size = "Transactions of this partition in an epoch that it prepared.";
  text.histogram("tidegate_partition_epoch_transactions", size, labels, observed.epochSize);
  for (const [member, name, help] of GAUGES) text.gauge(name, help, labels, status[member]);
  addFlows(text, status);
  text.gauge("tidegate_database_bytes", "Size of the partition's database.", labels, figures.databaseBytes);
  text.counter("tidegate_records_total", "Records written.", labels, records.count);
  text.counter("tidegate_record_bytes_total", "Bytes of records written.", labels, records.bytes);
  text.gauge("tidegate_alarm_set", "Whether an alarm is set.", labels, figures.alarmAt === null ? 0 : 1);
  addUsed(text, { object: "partition", partition }, used);
}

function addUsed(text: MetricsText, labels: Record<string, string | number>, used: PartitionFigures["used"]): void {
  text.counter("tidegate_starts_total", "Times that an object was started from storage.", labels, used.starts);
  text.counter("tidegate_object_requests_total", "Billed requests of an object.", labels, used.requests);
  text.counter("tidegate_object_bytes_total", "Bytes of requests and answers.", labels, used.bytes);
  text.counter("tidegate_rows_read_total", "Rows of SQLite read.", labels, used.rowsRead);
  text.counter("tidegate_rows_written_total", "Rows of SQLite written.", labels, used.rowsWritten);
  text.counter("tidegate_alarms_total", "Alarms that have rung.", labels, used.alarms);
  text.counter("tidegate_busy_seconds_total", "Seconds with something under way.", labels, used.busyMs * MS);
}

function addCoordinator(text: MetricsText, { status, epochs, used }: CoordinatorFigures): void {
  text.gauge("tidegate_coordinator_messages_unacknowledged", "Its messages.", {}, status.unacknowledged);
  if (epochs !== null) {
    text.counter("tidegate_epochs_total", "Epochs by decision.", { decision: "committed" }, epochs.committed);
    text.counter("tidegate_epochs_total", "Epochs by decision.", { decision: "aborted" }, epochs.aborted);
    text.histogram(
      "tidegate_epoch_duration_seconds",
      "Seconds from closing an epoch to its decision.",
      {},
      epochs.duration,
      MS,
    );
    text.histogram("tidegate_epoch_transactions", "Transactions of a committed epoch.", {}, epochs.size);
    text.histogram("tidegate_epoch_participants", "Partitions that took part in an epoch.", {}, epochs.participants);
  }
  addUsed(text, { object: "coordinator" }, used);
}
