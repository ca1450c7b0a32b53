/** Batches of messages between two instances: one packed table, its head in the first row, then one row per message. */
import type { Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { readMove, writeMove } from "./codec/moves.ts";
import { readOrder, writeOrder } from "./codec/orders.ts";
import { readPartition, writePartition } from "./codec/partition.ts";
import { readReport, writeReport } from "./codec/reports.ts";
import { formatNamed, KIND, type PeerFormat, RowReader, RowWriter } from "./codec/rows.ts";
import { malformed } from "./codec/structure.ts";
import { readAnswer, readCall, writeAnswer, writeCall } from "./codec/transaction.ts";
import type { Epoch, Peer, PeerMessage } from "./messages.ts";

export {
  formatNamed,
  formatOf,
  NEWEST_FORMAT,
  PEER,
  type PeerFormat,
  SHARES_FORMAT,
  SOLE_FORMAT,
  unpackPeer,
} from "./codec/rows.ts";

export interface BatchHead {
  readonly sender: Peer;
  readonly senderIncarnation: number;
  /** The incarnation that the batch is meant for; 0 when the sender does not know it. */
  readonly receiverIncarnation: number;
  /** Sequence number of the first message; the others follow it. */
  readonly first: number;
  /** Of all messages of the batch. */
  readonly era: Epoch;
  /** The highest version that the sender's incarnation reads. */
  readonly reads: PeerFormat;
}

export interface Batch extends BatchHead {
  readonly messages: readonly PeerMessage[];
}

/** A batch in the making. */
export class BatchWriter {
  readonly #head: BatchHead;
  readonly #rows: RowWriter;

  constructor(head: BatchHead, format: PeerFormat) {
    this.#head = head;
    this.#rows = new RowWriter(format);
    const row = this.#rows.begin(KIND.head).u32(head.sender).u32(head.senderIncarnation);
    row.u32(head.receiverIncarnation).wide(head.first).wide(head.era).u32(head.reads).end();
  }

  add(message: PeerMessage): void {
    const { sender, senderIncarnation } = this.#head;
    const rows = this.#rows;
    if (message.kind === "call") writeCall(rows, message);
    else if (message.kind === "answer") writeAnswer(rows, message, sender, senderIncarnation);
    else writeOther(rows, message);
  }

  get messages(): number {
    return this.#rows.rows - 1;
  }

  /** Size when packed, at most. */
  get bytes(): number {
    return this.#rows.bytes;
  }

  /** @throws RangeError above the size that one table may have. */
  pack(kernels: Kernels): Uint8Array {
    return this.#rows.pack(kernels);
  }
}

export function encodeBatch(
  kernels: Kernels,
  head: BatchHead,
  messages: readonly PeerMessage[],
  format: PeerFormat = 1,
): Uint8Array {
  const writer = new BatchWriter(head, format);
  for (const message of messages) writer.add(message);
  return writer.pack(kernels);
}

/** Decodes the whole batch, so that none of its messages is handled when one cannot be read. @throws CorruptError */
export function decodeBatch(kernels: Kernels, bytes: Uint8Array): Batch {
  const row = new RowReader(kernels, bytes);
  if (row.next() !== KIND.head) malformed("a batch does not begin with its head");
  const head = {
    sender: row.u32(),
    senderIncarnation: row.u32(),
    receiverIncarnation: row.u32(),
    first: row.wide(),
    era: row.wide(),
    reads: formatNamed(row.u32()),
  };
  const messages: PeerMessage[] = [];
  for (let kind = row.next(); kind >= 0; kind = row.next()) messages.push(readMessage(kind, row, head));
  return { ...head, messages };
}

function readMessage(kind: number, row: RowReader, head: BatchHead): PeerMessage {
  if (kind === KIND.call) return readCall(row);
  if (kind === KIND.answer) return readAnswer(row, head.sender, head.senderIncarnation);
  const message = readPartition(kind, row) ?? readMove(kind, row) ?? readReport(kind, row) ?? readOrder(kind, row);
  return message ?? malformed(`a row of unknown kind ${kind}`);
}

function writeOther(rows: RowWriter, message: Exclude<PeerMessage, { kind: "call" | "answer" }>): void {
  switch (message.kind) {
    case "hello":
    case "report":
    case "join":
    case "want":
    case "closed":
    case "prepared":
    case "decided":
    case "refuse":
    case "moved":
      return writeReport(rows, message);
    case "recover":
    case "era":
    case "joined":
    case "close":
    case "prepare":
    case "decide":
      return writeOrder(rows, message);
    case "move-begin":
    case "move-chunk":
    case "move-taken":
      return writeMove(rows, message);
    default:
      return writePartition(rows, message);
  }
}

invariant(Object.values(KIND).length === new Set(Object.values(KIND)).size, "8: two kinds of rows have one number");
