/** What became durable and which answers left, in their order: the log that checkers/durable-before-reply.ts judges. */
import type { Kernels } from "../core-wasm/types.ts";
import { showEpoch } from "../protocol/epochs/epoch.ts";
import type { StorageOp } from "../protocol/partition/effects.ts";
import { decodeRecord } from "../protocol/record/record.ts";
import type { DurableEvent, ReplyEvent } from "./checkers/durable-before-reply.ts";
import type { Answer } from "./clients/frames.ts";
import { isKept, type Request } from "./clients/ledger.ts";
import type { Done } from "./clients/steps.ts";
import type { Plan } from "./plan.ts";
import { PartitionObject } from "./world/partition-object.ts";
import type { World } from "./world/world.ts";

const NOTHING: readonly number[] = [];

export class DurableLog {
  readonly events: Array<DurableEvent | ReplyEvent> = [];
  /** Ids of requests in the order in which their results became durable. */
  readonly recorded: string[] = [];
  readonly #kernels: Kernels;
  readonly #now: () => number;
  /** Who appends a value, by its transaction's number. */
  readonly #appenders = new Map<number, number>();
  readonly #ids = new Map<number, string>();
  /** Whose writes an answer has shown before: what is durable stays so. */
  readonly #shown = new Set<string>();
  /** The longest of each list that an answer has shown. */
  readonly #seen = new Map<string, readonly number[]>();

  constructor(kernels: Kernels, plan: Plan, now: () => number) {
    this.#kernels = kernels;
    this.#now = now;
    for (const { number, ask, oneWay } of plan.clients.flat(2)) {
      // What a one-way message does has an id of its own, which nobody outside is told.
      if (ask.kind !== "list" || oneWay) continue;
      for (const [, , value] of ask.appends) this.#appenders.set(value as number, number);
    }
  }

  /** Storage of an object has confirmed these, together. */
  durable(object: World["objects"][number], ops: readonly unknown[]): void {
    if (!((object as unknown) instanceof PartitionObject)) return;
    const parts = new Map<number, Uint8Array[]>();
    for (const op of ops as readonly StorageOp[]) {
      if (op.op !== "record") continue;
      const known = parts.get(op.seq);
      if (known) known.push(op.bytes);
      else parts.set(op.seq, [op.bytes]);
    }
    for (const [seq, pieces] of parts) this.#record(object.name, seq, joined(pieces));
  }

  #record(partition: string, seq: number, bytes: Uint8Array): void {
    const { epoch, results } = decodeRecord(this.#kernels, bytes);
    if (!epoch && results.length === 0) return;
    for (const { requestId } of results) this.recorded.push(requestId);
    this.events.push({
      at: this.#now(),
      kind: "durable",
      partition,
      record: epoch ? showEpoch(epoch.epoch) : `${partition}/${seq}`,
      participants: epoch ? [...epoch.parts.keys()].map((number) => `P${number}`) : [partition],
      ids: results.map(({ requestId }) => requestId),
    });
  }

  asked({ row, transaction }: Request): void {
    this.#ids.set(transaction.number, row.id);
  }

  /** An answer is on its way to its client: whatever becomes of it, it is out. */
  left(request: Request, answer: Answer): void {
    if (answer.status !== 200 && answer.status !== 409) return;
    const { id } = request.row;
    const saw = [...this.#sawFirst(request, answer)].filter((other) => other !== id);
    const recorded = isKept(request, answer);
    if (recorded || saw.length > 0) this.events.push({ at: this.#now(), kind: "reply", id, saw, recorded });
  }

  /** What no answer has shown of a list, as far as it goes on where another ended: lists only grow, and are read again and again. */
  #notSeen(name: string, values: readonly number[]): readonly number[] {
    const seen = this.#seen.get(name) ?? [];
    const common = commonLength(seen, values);
    if (common === seen.length) this.#seen.set(name, values);
    return common === values.length ? NOTHING : values.slice(common);
  }

  /** Requests whose values it is the first answer to show. */
  #sawFirst({ transaction }: Request, { status, body }: Answer): Set<string> {
    const saw = new Set<string>();
    if (transaction.ask.kind !== "list" || transaction.oneWay) return saw;
    const { m } = status === 200 ? (JSON.parse(body) as Done) : (JSON.parse(body) as { readonly data: Done }).data;
    for (const micro of m) {
      if (micro[0] !== "read") continue;
      for (const value of this.#notSeen(micro[1], micro[2])) {
        const id = this.#ids.get(this.#appenders.get(value) ?? -1);
        if (id === undefined || this.#shown.has(id)) continue;
        this.#shown.add(id);
        saw.add(id);
      }
    }
    return saw;
  }
}

/** How far two lists are the same. */
function commonLength(one: readonly number[], other: readonly number[]): number {
  let length = 0;
  while (length < one.length && length < other.length && one[length] === other[length]) length += 1;
  return length;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only) return only;
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
