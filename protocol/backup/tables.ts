/** A partition's part of a backup, table after table: results, state of flows, pairs, and the end that counts them. */
import type { Kernels } from "../../core-wasm/types.ts";
import type { Flows } from "../partition/flows.ts";
import { decodeStored } from "../results/stored-result.ts";
import type { Results } from "../results/results.ts";
import type { StateReader } from "../state/reader.ts";
import { LIMITS } from "../limits.ts";
import { UTF8_PER_UNIT } from "../../sdk/utf8.ts";
import type { Peer } from "../wire/messages.ts";
import { type Pin, PinBroken } from "./pin.ts";
import { BACKUP_ROW, type BackupRow, encodeTable, jsonRow, type PartitionEnd } from "./table.ts";

/** Results read at a time. */
const PAGE = 500;

export interface TableSource {
  readonly kernels: Kernels;
  readonly partition: Peer;
  readonly id: string;
  readonly pin: Pin;
  readonly end: Pick<PartitionEnd, "incarnation" | "decided" | "forgotten">;
  /** Results and flows are in it, not only pairs. */
  readonly whole: {
    readonly results: Results;
    readonly flows: Flows;
    readonly reader: StateReader;
    /** Called when the stored results have been read: until then nothing may be folded, or results of later requests would be among them. */
    resultsRead(): void;
  } | null;
}

/** Made when the pin is; each table is made when it is asked for. @throws PinBroken */
export function tablesOf(source: TableSource): Iterator<Uint8Array> {
  const { whole } = source;
  const kept = whole && {
    ...whole,
    results: whole.results.clientResults(),
    storedAfter: (after: string, limit: number) => whole.results.storedAfter(after, limit),
    checkpoints: whole.flows.marks(),
    blocks: whole.flows.names.flatMap((flow) => whole.reader.viewBlocks(flow).map((block) => ({ flow, ...block }))),
  };
  return new Tables(source).all(kept);
}

type Kept = Omit<NonNullable<TableSource["whole"]>, "results" | "flows"> & {
  readonly results: ReadonlyArray<readonly [requestId: string, text: string]>;
  readonly storedAfter: Results["storedAfter"];
  readonly checkpoints: ReturnType<Flows["marks"]>;
  readonly blocks: ReadonlyArray<{ readonly flow: string; readonly block: number; readonly through: bigint }>;
};

class Tables {
  readonly #source: TableSource;
  #number = 0;
  #rows: BackupRow[] = [];
  #bytes = 0;
  #pairs = 0;
  #results = 0;

  constructor(source: TableSource) {
    this.#source = source;
  }

  *all(kept: Kept | null): Generator<Uint8Array> {
    if (kept) {
      yield* this.#resultTables(kept);
      for (const { flow, meta, bytes } of kept.checkpoints)
        yield this.#table([{ kind: BACKUP_ROW.checkpoint, number: 0, first: flow, second: meta }], bytes);
      for (const { flow, block, through } of kept.blocks) {
        const row = { kind: BACKUP_ROW.block, number: block, first: flow, second: String(through) };
        const bytes = kept.reader.viewBlock(flow, block);
        // None is stored empty, and no number is used twice.
        if (bytes.length === 0) throw new PinBroken(`windows of ${flow} were dropped meanwhile`);
        yield this.#table([row], bytes);
      }
    }
    for (const [key, text] of this.#source.pin.pairs()) {
      this.#pairs += 1;
      if (this.#add({ kind: BACKUP_ROW.pair, number: 0, first: key, second: text })) yield this.#cut();
    }
    if (this.#rows.length > 0) yield this.#cut();
    const end = { ...this.#source.end, pairs: this.#pairs, results: this.#results };
    yield this.#table([jsonRow(BACKUP_ROW.end, end)]);
  }

  /** Those in no row yet, as they were, and the rows: a fold that was under way may have made rows of the former, which does no harm. */
  *#resultTables({ results, storedAfter, resultsRead }: Kept): Generator<Uint8Array> {
    for (const [id, text] of results) if (this.#result(id, text)) yield this.#cut();
    let after = "";
    for (;;) {
      const stored = storedAfter(after, PAGE);
      for (const [id, text] of stored) {
        after = id;
        if (this.#result(id, text)) yield this.#cut();
      }
      if (stored.length < PAGE) break;
    }
    resultsRead();
    if (this.#rows.length > 0) yield this.#cut();
  }

  #result(id: string, text: string): boolean {
    this.#results += 1;
    return this.#add({ kind: BACKUP_ROW.result, number: 0, first: id, second: text });
  }

  /** True when the table is full. */
  #add(row: BackupRow): boolean {
    this.#rows.push(row);
    this.#bytes += (row.first.length + row.second.length) * UTF8_PER_UNIT;
    return this.#bytes >= LIMITS.backupTableBytes;
  }

  #cut(): Uint8Array {
    const rows = this.#rows;
    this.#rows = [];
    this.#bytes = 0;
    return this.#table(rows);
  }

  #table(rows: readonly BackupRow[], tail: Uint8Array = NOTHING): Uint8Array {
    const { kernels, id, partition } = this.#source;
    return encodeTable(kernels, { id, partition, number: this.#number++, rows, tail });
  }
}
const NOTHING = new Uint8Array(0);

/** A stored result as it goes into the log again. */
export function restoredResult(row: BackupRow): ReturnType<typeof decodeStored> {
  return decodeStored(row.first, row.second);
}
