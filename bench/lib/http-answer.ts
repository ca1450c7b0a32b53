/** Reads HTTP/1.1 answers from a socket's bytes, one after the other; does just what workerd's answers need. */

export interface HttpAnswer {
  readonly status: number;
  /** Status line and headers as they came. */
  readonly head: string;
  readonly body: Buffer;
}

const HEAD_END = "\r\n\r\n";
const EMPTY = Buffer.alloc(0);

export class AnswerReader {
  #rest: Buffer = EMPTY;
  #head: string | undefined;
  /** Bytes of body that `content-length` announces; -1 for a chunked body. */
  #length = 0;
  #chunks: Buffer[] = [];

  /** Takes bytes; returns the answer that they complete. No more than one request may be under way. */
  push(bytes: Buffer): HttpAnswer | undefined {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (this.#head === undefined && !this.#readHead()) return undefined;
    const body = this.#length < 0 ? this.#readChunks() : this.#readLength();
    if (body === undefined) return undefined;
    const head = this.#head as string;
    this.#head = undefined;
    return { status: Number(head.slice(9, 12)), head, body };
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf(HEAD_END);
    if (end < 0) return false;
    this.#head = this.#rest.toString("latin1", 0, end);
    this.#rest = this.#rest.subarray(end + HEAD_END.length);
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head);
    this.#length = length ? Number(length[1]) : -1;
    return true;
  }

  #readLength(): Buffer | undefined {
    if (this.#rest.length < this.#length) return undefined;
    const body = this.#rest.subarray(0, this.#length);
    this.#rest = this.#rest.subarray(this.#length);
    return body;
  }

  /** Moves whole chunks out of the way; the body when the last, empty one is there. */
  #readChunks(): Buffer | undefined {
    for (;;) {
      const sizeEnd = this.#rest.indexOf("\r\n");
      if (sizeEnd < 0) return undefined;
      const size = Number.parseInt(this.#rest.toString("latin1", 0, sizeEnd), 16);
      const start = sizeEnd + 2;
      if (this.#rest.length < start + size + 2) return undefined;
      if (size > 0) this.#chunks.push(this.#rest.subarray(start, start + size));
      this.#rest = this.#rest.subarray(start + size + 2);
      if (size > 0) continue;
      const body = Buffer.concat(this.#chunks);
      this.#chunks = [];
      return body;
    }
  }
}
