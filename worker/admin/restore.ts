/**
 * `POST /admin/restore`: takes a backup, the body or with `?from=…` one of a bucket, into an empty domain. Nothing of it is served before all of it is known to be sound; what turns out not to
 * be is forgotten again. The same backup may be sent again, however far it came.
 */
import type { RestoreAnswer, StoppedAnswer } from "../../protocol/backup/asks.ts";
import {
  BACKUP_ROW,
  type BackupInfo,
  type BackupTable,
  type BackupTrailer,
  decodeTable,
  WHOLE,
} from "../../protocol/backup/table.ts";
import { decodeMap, type KeyGroupMap } from "../../protocol/keygroups/map.ts";
import { CorruptError } from "../../core-wasm/types.ts";
import { queryParameter } from "../address.ts";
import { LIMITS } from "../limits.ts";
import { ProblemError, refuse } from "../problems.ts";
import { backoff, sleep } from "../retries.ts";
import { bucketOf, checkObjectName } from "./bucket.ts";
import { Domain, presentMap } from "./domain.ts";
import type { AdminEdge } from "./edge.ts";
import { jsonResponse } from "./responses.ts";
import { tablesIn } from "./tables.ts";

const INVALID = "/problems/invalid-backup";

export async function postRestore(edge: AdminEdge): Promise<Response> {
  const { backend, admin, request } = edge;
  try {
    const backup = await backupOf(edge);
    const map = await presentMap(backend);
    const domain = new Domain(admin, map);
    const taken = await take(edge, domain, map, backup);
    return jsonResponse(request, taken);
  } catch (error) {
    if (request.body !== null) await readRest(request.body);
    throw error;
  }
}

/** Where an answer comes before the end of a body the platform closes the connection, and whoever sends may not get to read it. */
async function readRest(body: ReadableStream<Uint8Array>): Promise<void> {
  // One that breaks off has nothing left either.
  const rest = body.pipeTo(new WritableStream()).catch(() => undefined);
  await Promise.race([rest, sleep(LIMITS.refusedBodyMs)]);
}

interface Backup {
  readonly bytes: ReadableStream<Uint8Array>;
  /** What is said when they break off, where that is no failure of ours. */
  readonly broken?: () => never;
}

async function backupOf({ admin, request }: AdminEdge): Promise<Backup> {
  const from = queryParameter(request.url, "from");
  if (from === undefined) {
    if (request.body === null) throw refuse("invalid-backup", "send the backup as the body");
    return { bytes: request.body, broken: bodyBroken };
  }
  const found = await bucketOf(admin.bucket).get(checkObjectName("from", from));
  if (found === null) throw refuse("not-found", `the bucket has no ${JSON.stringify(from)}`);
  return { bytes: found.body };
}

/** Whoever sent it has gone: the same may be sent again, however far it came. @throws ProblemError `body-incomplete` */
function bodyBroken(): never {
  throw refuse("body-incomplete", "the backup broke off before its end; send the same again", { retryable: true });
}

/** `DELETE /admin/restore?id=…`: forgets a restore that was begun and will not be ended. */
export async function deleteRestore({ backend, admin, request }: AdminEdge): Promise<Response> {
  const id = queryParameter(request.url, "id");
  if (id === undefined) throw refuse("invalid-parameter", "say which backup: ?id=…, as the refusal named it");
  const domain = new Domain(admin, await presentMap(backend));
  await stopAll(domain, id);
  await domain.askAll({ op: "release", id });
  return jsonResponse(request, { id, stopped: true });
}

/**
 * In the order in which they end it: where one serves the backup already the first does, and refuses before anything is forgotten.
 * @throws what the first of them was refused for
 */
async function stopAll(domain: Domain, id: string): Promise<void> {
  for (const partition of domain.partitions) await stop(domain, partition, id);
}

/** Until it serves again with nothing of the backup: before, it would take no other. @throws ProblemError where it cannot be stopped */
async function stop(domain: Domain, partition: number, id: string, untouched = false): Promise<void> {
  for (let attempt = 1; attempt <= LIMITS.attempts; attempt++) {
    const { restarts } = await domain.ask<StoppedAnswer>(partition, { op: "restore-stop", id, untouched });
    if (!restarts) return;
    await sleep(backoff(attempt));
  }
}

async function take(
  edge: AdminEdge,
  domain: Domain,
  map: KeyGroupMap,
  { bytes: stream, broken }: Backup,
): Promise<object> {
  const restoring = new Restoring(domain, map);
  try {
    for await (const bytes of tablesIn(stream, broken)) await restoring.table(decoded(edge, bytes), bytes);
    return await restoring.end();
  } catch (error) {
    if (error instanceof ProblemError && error.problem.type === INVALID) await restoring.stop();
    throw error;
  }
}

/** A refusal that also says how to give up what other partitions keep of the backup, and serve nothing for. */
function naming(id: string, refusal: unknown): unknown {
  if (!(refusal instanceof ProblemError)) return refusal;
  const { problem } = refusal;
  const kept = `other partitions wait for the rest of backup ${id}, until it is sent or given up`;
  return new ProblemError({ ...problem, detail: problem.detail === undefined ? kept : `${problem.detail}; ${kept}` });
}

function decoded({ backend }: AdminEdge, bytes: Uint8Array): BackupTable {
  try {
    return decodeTable(backend.kernels(), bytes);
  } catch (error) {
    if (error instanceof CorruptError) throw refuse("invalid-backup", error.message);
    throw error;
  }
}

class Restoring {
  readonly #domain: Domain;
  readonly #map: KeyGroupMap;
  #id: string | null = null;
  #tables = 0;
  #trailer: BackupTrailer | null = null;
  readonly #complete = new Set<number>();

  constructor(domain: Domain, map: KeyGroupMap) {
    this.#domain = domain;
    this.#map = map;
  }

  async table(table: BackupTable, bytes: Uint8Array): Promise<void> {
    const [row] = table.rows;
    if (this.#id === null) return this.#begin(table);
    if (table.id !== this.#id || this.#trailer !== null || row === undefined)
      throw refuse("invalid-backup", "tables of different backups are mixed");
    if (table.partition !== WHOLE) return this.#pass(table, bytes);
    if (row.kind !== BACKUP_ROW.trailer) throw refuse("invalid-backup", "the backup begins twice");
    this.#trailer = JSON.parse(row.second) as BackupTrailer;
  }

  async #begin({ id, partition, rows }: BackupTable): Promise<void> {
    const [row] = rows;
    if (partition !== WHOLE || row?.kind !== BACKUP_ROW.info)
      throw refuse("invalid-backup", "the backup does not begin with its first table");
    const info = JSON.parse(row.second) as BackupInfo;
    if (info.format !== 1)
      throw refuse("invalid-backup", `the backup has format ${String(info.format)}; this version reads 1`);
    const map = decodeMap(info.map);
    const same =
      map.partitions === this.#map.partitions && map.groups.every((to, group) => to === this.#map.groups[group]);
    if (!same) {
      const detail = `the backup is of a domain of ${map.partitions} partitions, this one has ${this.#map.partitions}, or spreads its keys otherwise`;
      throw refuse("invalid-backup", detail);
    }
    const begun = await this.#beginAll(id);
    this.#id = id;
    for (const [at, { complete }] of begun.entries()) if (complete) this.#complete.add(at);
  }

  /**
   * Where one refuses, those that it was begun at just now serve again as before. What was begun earlier stays: it may be all but through.
   * @throws what the first of them was refused for
   */
  async #beginAll(id: string): Promise<RestoreAnswer[]> {
    const domain = this.#domain;
    const ask = { op: "restore", id } as const;
    const asked = await Promise.allSettled(
      domain.partitions.map((partition) => domain.ask<RestoreAnswer>(partition, ask)),
    );
    const answers = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const refused = asked.find((one) => one.status === "rejected");
    if (refused === undefined) return answers;
    const fresh = domain.partitions.filter((at) => {
      const one = asked[at];
      return one?.status === "fulfilled" && one.value.begins === true;
    });
    await Promise.allSettled(fresh.map((partition) => stop(domain, partition, id, true)));
    const isKept = answers.some(({ state, begins }) => state === "staging" && begins !== true);
    throw isKept ? naming(id, refused.reason) : refused.reason;
  }

  async #pass({ partition, id }: BackupTable, bytes: Uint8Array): Promise<void> {
    if (!this.#domain.partitions.includes(partition))
      throw refuse("invalid-backup", `there is no partition ${partition}`);
    this.#tables += 1;
    const { complete } = await this.#domain.ask<RestoreAnswer>(partition, { op: "restore-table", id, bytes });
    if (complete) this.#complete.add(partition);
  }

  async end(): Promise<object> {
    const id = this.#id;
    if (id === null || this.#trailer === null) throw refuse("invalid-backup", "the backup is cut short");
    if (this.#trailer.tables !== this.#tables || this.#complete.size !== this.#domain.partitions.length)
      throw refuse("invalid-backup", "tables of the backup are missing");
    for (const partition of this.#domain.partitions) await this.#domain.ask(partition, { op: "restore-end", id });
    // Each starts over, and then says that it serves.
    for (const partition of this.#domain.partitions) await this.#served(partition, id);
    return { id, partitions: this.#domain.partitions.length, tables: this.#tables };
  }

  async #served(partition: number, id: string): Promise<void> {
    for (let asked = 1; ; asked++) {
      const { state } = await this.#domain.ask<RestoreAnswer>(partition, { op: "restore-end", id });
      const again = await this.#domain.ask<RestoreAnswer>(partition, { op: "restore", id });
      if (state === "done" && again.state === "done") return;
      // It takes its time: asked without end it would have no turn to begin in.
      await sleep(backoff(asked));
    }
  }

  /** Whoever sent a sound copy beside this one may have had it decided meanwhile: then all of it stays. */
  async stop(): Promise<void> {
    const id = this.#id;
    // What is told is why this copy is none; what is left of it is ended by the same backup, or given up by its id.
    if (id !== null) await stopAll(this.#domain, id).catch(() => undefined);
  }
}
