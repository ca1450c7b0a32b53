/** `GET /admin/export?service=…`: a service's state as it was at one moment, NDJSON, a line for each value and each entry of a collection. */
import { BACKUP_ROW, decodeTable } from "../../protocol/backup/table.ts";
import { readVersion } from "../../protocol/state/evolution.ts";
import { parseStateKey } from "../../protocol/state/state-key.ts";
import { toJson } from "../../sdk/json.ts";
import { decodeValue } from "../../sdk/values.ts";
import { queryParameter } from "../address.ts";
import { answerHeaders, NDJSON_TYPE } from "../headers.ts";
import { refuse } from "../problems.ts";
import { streamOf } from "./backup.ts";
import { Domain, presentMap } from "./domain.ts";
import type { AdminEdge } from "./edge.ts";
import { Living, type Row } from "./living.ts";
import { pinAll, release } from "./standstill.ts";
import { pinnedTables } from "./tables.ts";

const encoder = new TextEncoder();

export async function getExport(edge: AdminEdge): Promise<Response> {
  const { app, backend, admin, request } = edge;
  const service = queryParameter(request.url, "service");
  if (service === undefined) throw refuse("invalid-parameter", "say which service: ?service=…");
  if (!app.services.has(service)) throw refuse("unknown-service", `there is no service ${JSON.stringify(service)}`);
  const id = backend.uuid();
  const domain = new Domain(admin, await presentMap(backend));
  await pinAll(domain, id, service);
  // Without a time to live nothing is over, whatever an earlier version of the code, which declared one, has left.
  const now = app.services.get(service)?.ttl === undefined ? -Infinity : edge.startedAt;
  return new Response(streamOf(lines(edge, domain, id, now)), { headers: answerHeaders(request, NDJSON_TYPE) });
}

/** What was exported whole ends with a line that counts the others. @param now what expires by then is not shown */
async function* lines({ backend }: AdminEdge, domain: Domain, id: string, now: number): AsyncGenerator<Uint8Array> {
  let count = 0;
  // Tables of different partitions alternate.
  const living = new Map<number, Living>();
  const linesOf = (rows: readonly Row[]): string => {
    count += rows.length;
    return rows.map(([key, text]) => `${lineOf(key, text)}\n`).join("");
  };
  try {
    for await (const table of pinnedTables(domain, id)) {
      const { partition, rows } = decodeTable(backend.kernels(), table);
      const known = living.get(partition) ?? new Living(now);
      living.set(partition, known);
      const pairs = rows.filter(({ kind }) => kind === BACKUP_ROW.pair);
      const text = linesOf(pairs.flatMap(({ first, second }) => known.add([first, second])));
      if (text !== "") yield encoder.encode(text);
    }
    const rest = linesOf([...living.values()].flatMap((each) => each.end()));
    yield encoder.encode(`${rest}{"lines":${count}}\n`);
  } finally {
    await release(domain, id);
  }
}

/** Values as queries show them. */
function lineOf(stateKey: string, text: string): string {
  const { service, key, collection, entry } = parseStateKey(stateKey);
  const of = collection === undefined ? { service, key } : { service, key, collection, entry };
  const { version, text: value } = readVersion(text);
  const shown = version === 1 ? "" : `"version":${version},`;
  return `${JSON.stringify(of).slice(0, -1)},${shown}"value":${toJson(decodeValue(value))}}`;
}
