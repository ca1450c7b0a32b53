/** The record in the making: everything that became ready since the last flush. */
import type { Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import { type RecordPiece, recordPieces, resultBytes, writeBytes } from "../record/pieces.ts";
import { encodeRecord, type RecordContent } from "../record/record.ts";
import type { StoredResult } from "../results/stored-result.ts";
import type { Write } from "../state/store.ts";
import type { Epoch } from "../wire/messages.ts";

export class Journal {
  /** Number of the record in the making; one more than that of the newest written. */
  #seq: number;
  #writes: Write[] = [];
  #results: StoredResult[] = [];
  #bytes = 0;
  /** Highest decided epoch that a record holds. */
  #decided: Epoch;

  constructor(nextSeq: number, decided: Epoch) {
    this.#seq = nextSeq;
    this.#decided = decided;
  }

  get seq(): number {
    return this.#seq;
  }
  get isEmpty(): boolean {
    return this.#writes.length === 0 && this.#results.length === 0;
  }
  /** Bytes of the record so far, at most. */
  get bytes(): number {
    return this.#bytes;
  }

  addWrites(writes: readonly Write[]): void {
    for (const write of writes) {
      this.#writes.push(write);
      this.#bytes += writeBytes(write);
    }
  }

  addResult(result: StoredResult): void {
    this.#results.push(result);
    this.#bytes += resultBytes(result);
  }

  /** Takes what the record in the making holds: in one piece, or in several where no record could hold it. Its results are in the first. */
  cut(): RecordPiece[] {
    const [writes, results] = [this.#writes, this.#results];
    const isOne = this.#bytes <= LIMITS.maxTableBytes - LIMITS.recordMarginBytes;
    const pieces = isOne ? [{ writes, results, bytes: this.#bytes }] : recordPieces(writes, [], results);
    this.#writes = [];
    this.#results = [];
    this.#bytes = 0;
    return pieces;
  }

  /** Encodes a record and begins the next. `decided` is the highest epoch that is known to be committed. */
  take(
    kernels: Kernels,
    at: number,
    { writes, results, flows }: Pick<RecordContent, "writes" | "results" | "flows">,
    decided: Epoch,
  ): { seq: number; bytes: Uint8Array } {
    return this.#encode(kernels, at, { writes, results, flows, epoch: null }, decided);
  }

  /** Encodes one record of an epoch's. What is committed and in no record yet must have been taken before: records are in the order of commits. */
  takeEpoch(
    kernels: Kernels,
    at: number,
    content: Pick<RecordContent, "writes" | "results" | "epoch">,
    decided: Epoch,
  ): { seq: number; bytes: Uint8Array } {
    invariant(this.isEmpty, "1: an epoch's record would come before what was committed earlier");
    return this.#encode(kernels, at, { ...content, flows: [] }, decided);
  }

  #encode(
    kernels: Kernels,
    at: number,
    content: Omit<RecordContent, "seq" | "at" | "decided">,
    decided: Epoch,
  ): { seq: number; bytes: Uint8Array } {
    const seq = this.#seq++;
    const news = decided > this.#decided ? decided : 0;
    this.#decided = Math.max(this.#decided, decided);
    return { seq, bytes: encodeRecord(kernels, { seq, at, ...content, decided: news }) };
  }
}
