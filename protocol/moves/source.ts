/**
 * One side of a move: all that a partition keeps of some key groups, in pieces for the partition that gets them. While transactions go on here,
 * what is stored is sent first, then in rounds what has changed since; the rest when nothing runs.
 */
import { invariant } from "../assert.ts";
import { detached } from "../detached.ts";
import { LIMITS } from "../limits.ts";
import { encodeMessage, movedRowKey, storedMessages } from "../outbox/message.ts";
import { cut } from "../record/record.ts";
import type { Flows } from "../partition/flows.ts";
import type { FlowRuntime } from "../flows/flow-runtime.ts";
import type { ResultNews, Results } from "../results/results.ts";
import { decodeStored, settledMark, type StoredResult } from "../results/stored-result.ts";
import { entityOf } from "../state/indexes.ts";
import type { StateReader, StoredResults, StoredState } from "../state/reader.ts";
import { compareKeys } from "../state/state-key.ts";
import type { StateStore, Write } from "../state/store.ts";
import { isEdgeId } from "../wire/invoke.ts";
import type { Epoch, MoveMessage } from "../wire/messages.ts";
import { MoveContent, type MoveItem } from "./content.ts";
import type { Ownership } from "./ownership.ts";
import { GroupReader, storedPages } from "./stored.ts";

export interface SourceParts {
  readonly reader: StateReader;
  readonly stored: StoredState & StoredResults;
  readonly committed: StateStore;
  readonly results: Results;
  readonly flows: Flows;
  readonly ownership: Ownership;
}

/** What the next piece is made of; `pause` lets other work go first, `idle` has nothing before the next era. */
type Next = MoveItem | "pause" | "idle" | "copied";

export class Source {
  readonly #parts: SourceParts;
  readonly #groups: ReadonlySet<number>;
  readonly #stream: number;
  readonly #send: (message: MoveMessage) => void;
  readonly #groupOf: GroupReader;
  /** Keys that changed and are to be sent again; cleared prefixes come before them. */
  #changed = new Set<string>();
  #cleared = new Set<string>();
  /** Ids of results that are still to be sent. They are looked up then: a copy may wait for long, and what was dropped meanwhile need not go. */
  #results = new Set<string>();
  /** Stored results are read up to this id; null when all are. */
  #readTo: string | null = "";
  /** Marks of settled results, where these may have been sent. */
  #marks: StoredResult[] = [];
  readonly #items: Iterator<Next>;
  /** Blocks of closed windows that were sent, by flow: they never change. */
  readonly #blocks = new Map<string, number>();
  #frozen: Epoch;
  /** The receiver is ready for pieces. */
  #open = false;
  /** All that there was is sent: nothing is left but what changes until nothing runs. */
  #waits = false;
  #ended = false;
  #sent = 0;
  #taken = 0;

  constructor(
    parts: SourceParts,
    groups: ReadonlySet<number>,
    version: number,
    stream: number,
    frozen: Epoch,
    send: (message: MoveMessage) => void,
  ) {
    this.#parts = parts;
    this.#groups = groups;
    this.#stream = stream;
    this.#frozen = frozen;
    this.#send = send;
    this.#groupOf = new GroupReader((key) => parts.ownership.groupOf(key));
    // What no fold has stored yet is not among what is stored.
    for (const { key, cleared } of parts.committed.unfolded()) this.#note(key, cleared);
    for (const { requestId, group } of parts.results.inMemory()) this.heard({ what: "added", requestId, group });
    this.#items = this.#all();
    send({ kind: "move-begin", version, stream, frozen });
  }

  get stream(): number {
    return this.#stream;
  }
  get frozen(): Epoch {
    return this.#frozen;
  }
  /** All is sent and taken. */
  get isOver(): boolean {
    return this.#ended && this.#taken === this.#sent;
  }

  /** So much has changed since that it is sent before nothing runs: that era should be short, and what waits for it has a bound. */
  get isBehind(): boolean {
    return this.#waits && this.waiting > LIMITS.moveFewKeys;
  }

  /** How many keys and results are held here to be sent. */
  get waiting(): number {
    return this.#changed.size + this.#cleared.size + this.#results.size + this.#marks.length;
  }

  /** Something was committed here. */
  changed(writes: readonly Write[]): void {
    for (const { op, key } of writes) this.#note(key, op === "clear");
  }

  #note(key: string, cleared: boolean): void {
    const group = this.#groupOf.of(key);
    if (group === undefined || !this.#groups.has(group)) return;
    (cleared ? this.#cleared : this.#changed).add(key);
  }

  /** What has become of a result here. One of unknown group goes wherever its request may come. */
  heard({ what, requestId, group }: ResultNews): void {
    if (group !== undefined && !this.#groups.has(group)) return;
    if (what === "added") this.#results.add(detached(requestId));
    else if (what === "stored" && this.#isYetToRead(requestId)) this.#results.delete(requestId);
    // What was not sent needs no mark. Of edge ids none is sent: the target drops their results by itself.
    else if (what === "gone" && !this.#results.delete(requestId) && !isEdgeId(requestId))
      this.#marks.push(settledMark(requestId));
  }

  /** Nothing runs any more, and nothing changes until all is moved. */
  freeze(frozen: Epoch): void {
    this.#frozen = frozen;
  }

  /** What it would send cannot be read: nothing follows, and the move waits until it is mended. */
  stop(): void {
    this.#open = false;
  }

  /** @returns whether more can be sent at once */
  taken(number: number, enough: boolean): boolean {
    if (number === 0) this.#open = true;
    invariant(number <= this.#sent, "8: a piece is taken that was not sent");
    this.#taken = Math.max(this.#taken, number);
    if (enough) {
      this.#ended = true;
      this.#taken = this.#sent;
    }
    return !this.#ended;
  }

  /** Sends a piece, if one may be sent now. @returns whether there is more to do in a turn of its own */
  pump(): boolean {
    return this.#maySend && this.#piece() !== "idle" && this.#maySend;
  }

  get #maySend(): boolean {
    return this.#open && !this.#ended && this.#sent - this.#taken < LIMITS.moveWindow;
  }

  #piece(): "sent" | "pause" | "idle" {
    const content = new MoveContent();
    let pauses = 0;
    while (content.units < LIMITS.moveChunkUnits) {
      const next = this.#items.next();
      if (next.done) {
        this.#ended = true;
        return this.#sendPiece(content, "last");
      }
      if (next.value === "copied") {
        return this.#sendPiece(content, "copied");
      }
      if (next.value === "pause" && ++pauses < LIMITS.movePagesPerTurn) continue;
      if (next.value === "pause" || next.value === "idle") {
        if (!content.isEmpty) this.#sendPiece(content, "more");
        return next.value;
      }
      content.add(next.value);
    }
    return this.#sendPiece(content, "more");
  }

  #sendPiece(content: MoveContent, stage: "more" | "copied" | "last"): "sent" {
    const frozen = stage === "last" ? this.#frozen : 0;
    const text = content.encode();
    this.#send({ kind: "move-chunk", stream: this.#stream, number: ++this.#sent, stage, frozen, content: text });
    return "sent";
  }

  *#all(): Generator<Next> {
    yield* this.#stored();
    yield* this.#storedResults();
    yield* this.#viewBlocks();
    for (let round = 0; round < LIMITS.moveRounds && this.#frozen === 0; round++) {
      if (round > 0 && this.#changed.size <= LIMITS.moveFewKeys) break;
      yield* this.#changes();
      yield "pause";
    }
    if (this.#frozen === 0) yield "copied";
    this.#waits = true;
    while (this.#frozen === 0) {
      if (this.isBehind) yield* this.#changes();
      yield this.isBehind ? "pause" : "idle";
    }
    yield* this.#changes();
    yield* this.#viewBlocks();
    yield* this.#flows();
    yield* this.#messages();
    yield { kind: "forgotten", text: this.#parts.results.forgottenOf(this.#groups) };
  }

  *#stored(): Generator<Next> {
    for (const page of storedPages(this.#parts.stored, LIMITS.movePageRows)) {
      for (const [key, text] of page) {
        const group = this.#groupOf.of(key);
        if (group === undefined || !this.#groups.has(group)) continue;
        yield { kind: "write", write: { op: "put", key, text } };
      }
      yield "pause";
    }
  }

  *#storedResults(): Generator<Next> {
    const { stored } = this.#parts;
    let from = "";
    for (;;) {
      const page = stored.resultsFrom(from, LIMITS.movePageRows);
      const last = page.length < LIMITS.movePageRows ? undefined : page.at(-1)?.[0];
      this.#readTo = last ?? null;
      // All at once: one that is settled before its turn comes is sent from this page all the same, and needs its mark.
      for (const [requestId] of page) this.#results.delete(requestId);
      for (const [requestId, text] of page) {
        const result = decodeStored(requestId, text);
        if (result.group === undefined || this.#groups.has(result.group)) yield { kind: "result", result };
      }
      if (last === undefined) return;
      from = `${last}\u0001`;
      yield "pause";
    }
  }

  #isYetToRead(requestId: string): boolean {
    return this.#readTo !== null && compareKeys(requestId, this.#readTo) > 0;
  }

  /** What changed until now, as it is when it is sent: a later change is sent in a later round. */
  *#changes(): Generator<Next> {
    const cleared = this.#cleared;
    const changed = this.#changed;
    this.#cleared = new Set();
    this.#changed = new Set();
    for (const key of cleared) yield { kind: "write", write: { op: "clear", key, text: "" } };
    for (const key of changed) yield { kind: "write", write: this.#present(key) };
    const results = this.#results;
    const marks = this.#marks;
    this.#results = new Set();
    this.#marks = [];
    for (const requestId of results) {
      const result = this.#parts.results.find(requestId);
      if (result !== undefined) yield { kind: "result", result };
    }
    for (const result of marks) yield { kind: "result", result };
  }

  #present(key: string): Write {
    const { committed, stored } = this.#parts;
    const entity = entityOf(key);
    const known = committed.peek(key, entity);
    const text = known === undefined ? (stored.get(key, entity) ?? null) : known;
    return text === null ? { op: "delete", key, text: "" } : { op: "put", key, text };
  }

  #movedFlows(): FlowRuntime[] {
    const { flows, ownership } = this.#parts;
    return flows.ofStreams((stream) => this.#groups.has(ownership.groupOf(stream)));
  }

  *#viewBlocks(): Generator<Next> {
    const { reader } = this.#parts;
    for (const { plan, firstBlock } of this.#movedFlows()) {
      const flow = plan.name;
      for (const { block, through } of reader.viewBlocks(flow)) {
        if (block < Math.max(firstBlock, this.#blocks.get(flow) ?? 0)) continue;
        this.#blocks.set(flow, block + 1);
        const parts = cut(reader.viewBlock(flow, block), LIMITS.maxPartBytes);
        for (const [part, bytes] of parts.entries()) yield { kind: "block", flow, block, part, through, bytes };
      }
    }
  }

  *#flows(): Generator<Next> {
    for (const runtime of this.#movedFlows()) {
      const flow = runtime.plan.name;
      const mark = runtime.mark();
      const parts = cut(mark.bytes, LIMITS.maxPartBytes);
      for (const [part, bytes] of parts.entries()) {
        yield { kind: "flow", flow, part, parts: parts.length, meta: mark.meta, bytes };
      }
    }
  }

  /** In their order, which the receiver keeps. */
  *#messages(): Generator<Next> {
    const { committed, ownership } = this.#parts;
    let place = 0;
    for (const message of storedMessages(committed)) {
      if (!this.#groups.has(ownership.groupOfMessage(message))) continue;
      const key = movedRowKey(place++, message.requestId);
      yield { kind: "write", write: { op: "put", key, text: encodeMessage(message) } };
    }
  }
}
