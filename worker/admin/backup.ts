/** `POST /admin/backup`: the whole domain as it was at one moment, as a stream of checksummed tables; with `?to=…` into a bucket. */
import { BACKUP_ROW, type BackupInfo, encodeTable, jsonRow, WHOLE } from "../../protocol/backup/table.ts";
import { encodeMap, type KeyGroupMap } from "../../protocol/keygroups/map.ts";
import { queryParameter } from "../address.ts";
import { answerHeaders } from "../headers.ts";
import { bucketOf, checkObjectName, store } from "./bucket.ts";
import { jsonResponse } from "./responses.ts";
import type { AdminEdge } from "./edge.ts";
import { Domain, presentMap } from "./domain.ts";
import { pinAll, release } from "./standstill.ts";
import { pinnedTables } from "./tables.ts";

const NOTHING = new Uint8Array(0);

export async function postBackup(edge: AdminEdge): Promise<Response> {
  const { backend, admin, request, startedAt } = edge;
  const to = queryParameter(request.url, "to");
  const id = backend.uuid();
  const map = await presentMap(backend);
  const domain = new Domain(admin, map);
  // Before anything is pinned: only who has begun to read the tables lets go of that, and the bucket may not take them.
  const upload =
    to === undefined ? undefined : await bucketOf(admin.bucket).createMultipartUpload(checkObjectName("to", to));
  await pinAll(domain, id, null).catch(async (error: unknown) => {
    await upload?.abort();
    throw error;
  });
  const tables = wholeBackup(edge, domain, { id, map, at: startedAt });
  if (upload !== undefined) return jsonResponse(request, { id, to, bytes: await store(upload, tables) });
  const headers = { ...answerHeaders(request, "application/octet-stream"), "tidegate-backup": id };
  return new Response(streamOf(tables), { headers });
}

interface About {
  readonly id: string;
  readonly map: KeyGroupMap;
  readonly at: number;
}

/** A backup without its last table is cut short, so that whatever fails on the way shows. */
async function* wholeBackup(
  { backend }: AdminEdge,
  domain: Domain,
  { id, map, at }: About,
): AsyncGenerator<Uint8Array> {
  try {
    const info: BackupInfo = { format: 1, at, partitions: map.partitions, map: encodeMap(map) };
    const whole = { id, partition: WHOLE, tail: NOTHING };
    yield encodeTable(backend.kernels(), { ...whole, number: 0, rows: [jsonRow(BACKUP_ROW.info, info)] });
    let tables = 0;
    for await (const table of pinnedTables(domain, id)) {
      tables += 1;
      yield table;
    }
    yield encodeTable(backend.kernels(), { ...whole, number: 1, rows: [jsonRow(BACKUP_ROW.trailer, { tables })] });
  } finally {
    await release(domain, id);
  }
}

/** Made as fast as it is read. */
export function streamOf(parts: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await parts.return(undefined);
    },
  });
}
