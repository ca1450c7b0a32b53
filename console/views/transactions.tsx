/** The last transactions of the domain, and one of them as a timeline. */
import type { Api } from "../api.ts";
import { showClock, showEpoch, showMs } from "../format.ts";
import type { Transaction } from "../model.ts";
import { Empty, Failure, useLoaded, usePolled } from "../parts/states.tsx";
import { Timeline } from "../parts/timeline.tsx";
import { Silent, Transactions } from "../parts/transactions.tsx";
import { linkTo } from "../routes.ts";

export function TransactionsView({ api, route }: { readonly api: Api; readonly route: readonly string[] }) {
  const [, id] = route;
  return id === undefined ? <Recent api={api} /> : <One key={id} api={api} id={id} />;
}

function Recent({ api }: { readonly api: Api }) {
  const { value, error } = usePolled(() => api.transactions({ limit: "100" }), [api]);
  if (error !== undefined) return <Failure error={error} />;
  return value === undefined ? <Empty>Asking the partitions…</Empty> : <Transactions of={value} />;
}

function One({ api, id }: { readonly api: Api; readonly id: string }) {
  const { value, error } = useLoaded(() => api.transactions({ id }), [api, id]);
  const [transaction] = value?.transactions ?? [];
  return (
    <>
      <p>
        <a href={linkTo("transactions")}>all transactions</a>
      </p>
      {error !== undefined && <Failure error={error} />}
      {transaction === undefined && value !== undefined && <Silent partitions={value.silent} />}
      {value?.transactions.length === 0 && <Empty>No partition remembers it: they do so in memory, for a while.</Empty>}
      {transaction !== undefined && <Followed transaction={transaction} />}
    </>
  );
}

function Followed({ transaction }: { readonly transaction: Transaction }) {
  const { trace, service, key, at, endedAt } = transaction;
  const partitions = new Set([
    transaction.partition,
    ...(trace?.calls ?? []).flatMap(({ partition }) => partition ?? []),
  ]);
  const facts: readonly (readonly [string, string])[] = [
    ["status", String(transaction.status)],
    ["admitted", showClock(at)],
    ["took", showMs(endedAt - at)],
    ["attempts", String(transaction.attempts)],
    ["epoch", transaction.epoch === 0 ? "none: one partition committed it" : showEpoch(transaction.epoch)],
    ["partitions", [...partitions].sort((a, b) => a - b).join(", ")],
    ["id", transaction.id],
  ];
  return (
    <article>
      <h2>
        {service}.{transaction.function} on <a href={linkTo("state", service, key)}>“{key}”</a>
      </h2>
      <dl class="counts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Timeline transaction={transaction} />
      {trace === null && (
        <Empty>
          It was not traced, so its calls are not known. Calls from the forms here are traced, and requests whose
          traceparent says so.
        </Empty>
      )}
      {(trace?.dropped ?? 0) > 0 && <p>{trace?.dropped} further calls are not shown.</p>}
    </article>
  );
}
