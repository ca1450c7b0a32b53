/** A table of transactions. */
import { showClock, showEpoch, showMs } from "../format.ts";
import type { Recent, Transaction } from "../model.ts";
import { linkTo } from "../routes.ts";
import { Empty } from "./states.tsx";

export function Transactions({ of: { transactions, silent } }: { readonly of: Recent }) {
  return (
    <>
      <Silent partitions={silent} />
      <Table of={transactions} />
    </>
  );
}

/** What those remember is missing, which must not pass for nothing. */
export function Silent({ partitions }: { readonly partitions: readonly number[] }) {
  if (partitions.length === 0) return null;
  const who = `${partitions.length === 1 ? "Partition" : "Partitions"} ${partitions.join(", ")}`;
  return <p class="odd">{who} did not answer: transactions from there are missing.</p>;
}

function Table({ of }: { readonly of: readonly Transaction[] }) {
  if (of.length === 0) return <Empty>Partitions remember no transaction: they do so in memory, for a while.</Empty>;
  return (
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th>ended</th>
            <th>function</th>
            <th>key</th>
            <th class="number">status</th>
            <th class="number">took</th>
            <th class="number">attempts</th>
            <th>epoch</th>
            <th class="number">partition</th>
          </tr>
        </thead>
        <tbody>
          {of.map((each) => (
            <tr key={each.id}>
              <td>
                <a href={linkTo("transactions", each.id)}>{showClock(each.endedAt)}</a>
                {each.trace !== null && <small> traced</small>}
              </td>
              <td>
                {each.service}.{each.function}
              </td>
              <td>
                <a href={linkTo("state", each.service, each.key)}>{each.key}</a>
              </td>
              <td class={`number ${each.status >= 500 ? "bad" : each.status >= 400 ? "odd" : ""}`}>{each.status}</td>
              <td class="number">{showMs(each.endedAt - each.at)}</td>
              <td class="number">{each.attempts}</td>
              <td>{showEpoch(each.epoch)}</td>
              <td class="number">{each.partition}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
