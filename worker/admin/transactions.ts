/** `GET /admin/transactions`: transactions that have ended, newest first, as far as partitions remember them: `?service=`, `&key=`, or `?id=`. */
import type { RecentFilter, RecentTransaction } from "../../protocol/observe/observer.ts";
import { checkKey } from "../../sdk/keys.ts";
import { queryParameter } from "../address.ts";
import type { KeyGroupMap } from "../backend.ts";
import { partitionOf } from "../keys.ts";
import { LIMITS } from "../limits.ts";
import { inTime, observedMap } from "../metrics/figures.ts";
import { refuse } from "../problems.ts";
import type { AdminEdge } from "./edge.ts";
import { jsonResponse } from "./responses.ts";

interface Located extends RecentTransaction {
  /** Where its root is. */
  readonly partition: number;
}

export async function getTransactions(edge: AdminEdge): Promise<Response> {
  const { backend, request } = edge;
  const { observed } = backend;
  if (observed === undefined) throw refuse("not-found", "there are no figures here");
  const filter = filterOf(request.url);
  const limit = limitParameter(request.url, LIMITS.transactionsDefault, LIMITS.transactionsMax);
  const map = await observedMap(backend);
  const asked = partitionsOf(edge, map, filter);
  const found = await Promise.all(
    asked.map((partition) => inTime(observed.partition(partition).recent(filter, limit))),
  );
  const transactions = asked
    .flatMap((partition, at): Located[] => (found[at] ?? []).map((transaction) => ({ ...transaction, partition })))
    .sort((a, b) => b.endedAt - a.endedAt);
  // None of theirs is shown, which does not say that there is none.
  const silent = asked.filter((_, at) => found[at] === null);
  return jsonResponse(request, { transactions: transactions.slice(0, limit), silent });
}

function filterOf(url: string): RecentFilter {
  const [service, key, id] = [queryParameter(url, "service"), queryParameter(url, "key"), queryParameter(url, "id")];
  if (key !== undefined) checkKey(key);
  return {
    ...(service === undefined ? {} : { service }),
    ...(key === undefined ? {} : { key }),
    ...(id === undefined ? {} : { id }),
  };
}

/** Those of a key are where it is kept. */
function partitionsOf({ backend }: AdminEdge, map: KeyGroupMap, { key }: RecentFilter): number[] {
  if (key !== undefined) return [partitionOf(backend.kernels(), map, key)];
  return Array.from({ length: map.partitions }, (_, partition) => partition);
}

/** `?limit=`. @throws ProblemError */
export function limitParameter(url: string, usual: number, most: number): number {
  const text = queryParameter(url, "limit");
  if (text === undefined) return usual;
  const limit = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= most) return limit;
  throw refuse("invalid-parameter", `?limit= is a whole number from 1 to ${most}`);
}
