/** The record in the making: everything that became ready since the last flush. */
import type { Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { encodeRecord, type FlowDelta, RECORD_ROW_BYTES, type RecordContent } from "../record/record.ts";
import type { StoredResult } from "../results/stored-result.ts";
import type { Write } from "../state/store.ts";
import { UTF8_PER_UNIT } from "../utf8.ts";
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
      this.#bytes += RECORD_ROW_BYTES + (write.key.length + write.text.length) * UTF8_PER_UNIT;
    }
  }

  addResult(result: StoredResult): void {
    this.#results.push(result);
    this.#bytes += RECORD_ROW_BYTES + (result.requestId.length + result.body.length) * UTF8_PER_UNIT;
  }

  /** Encodes the record and begins the next. `decided` is the highest epoch that is known to be committed. */
  take(kernels: Kernels, at: number, flows: readonly FlowDelta[], decided: Epoch): { seq: number; bytes: Uint8Array } {
    const content = { writes: this.#writes, results: this.#results, flows, epoch: null };
    this.#writes = [];
    this.#results = [];
    this.#bytes = 0;
    return this.#encode(kernels, at, content, decided);
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
