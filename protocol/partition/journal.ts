/** The record in the making: everything that became ready since the last flush. */
import type { Kernels } from "../../core-wasm/types.ts";
import { encodeRecord, type FlowDelta, RECORD_ROW_BYTES } from "../record/record.ts";
import type { StoredResult } from "../results/stored-result.ts";
import type { Write } from "../state/store.ts";
import { UTF8_PER_UNIT } from "../utf8.ts";

export class Journal {
  /** Number of the record in the making; one more than that of the newest written. */
  #seq: number;
  #writes: Write[] = [];
  #results: StoredResult[] = [];
  #bytes = 0;

  constructor(nextSeq: number) {
    this.#seq = nextSeq;
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

  /** Encodes the record and begins the next. */
  take(kernels: Kernels, at: number, flows: readonly FlowDelta[]): { seq: number; bytes: Uint8Array } {
    const seq = this.#seq++;
    const bytes = encodeRecord(kernels, { seq, at, writes: this.#writes, results: this.#results, flows });
    this.#writes = [];
    this.#results = [];
    this.#bytes = 0;
    return { seq, bytes };
  }
}
