/** A partition's storage as plain maps: the double of SQLite for the simulator. */
import { invariant } from "../protocol/assert.ts";
import type { StorageOp } from "../protocol/partition/effects.ts";
import type { Recovered } from "../protocol/partition/recovery.ts";
import { RESTORE_MARK } from "../protocol/backup/restore.ts";
import { ERASED_TEXT } from "../protocol/results/stored-result.ts";
import type { StateReader } from "../protocol/state/reader.ts";
import { compareKeys } from "../protocol/state/state-key.ts";

type Op<Name extends StorageOp["op"]> = Extract<StorageOp, { op: Name }>;

export class MapStore implements StateReader {
  readonly state = new Map<string, string>();
  readonly results = new Map<string, { text: string; expires: number }>();
  readonly meta = new Map<string, string>();
  readonly records: Array<Op<"record">> = [];
  readonly recents: Array<Op<"put-recent">> = [];
  readonly blocks: Array<Op<"put-view-block">> = [];
  readonly checkpoints: Array<Op<"put-checkpoint">> = [];
  /** Reads asked for; the machine must touch storage before it answers. */
  touches = 0;

  copy(): MapStore {
    return this.copyInto(new MapStore());
  }

  /** Fills an empty store. */
  copyInto<Store extends MapStore>(copy: Store): Store {
    for (const [key, text] of this.state) copy.state.set(key, text);
    for (const [id, result] of this.results) copy.results.set(id, result);
    for (const [name, value] of this.meta) copy.meta.set(name, value);
    copy.records.push(...this.records);
    copy.recents.push(...this.recents);
    copy.blocks.push(...this.blocks);
    copy.checkpoints.push(...this.checkpoints);
    return copy;
  }

  perform(op: StorageOp): void {
    switch (op.op) {
      case "put-state":
        this.state.set(op.key, op.text);
        return;
      case "delete-state":
        this.state.delete(op.key);
        return;
      case "delete-state-range":
        for (const key of this.state.keys()) if (within(key, op.from, op.to)) this.state.delete(key);
        return;
      case "put-result":
        if (!this.results.has(op.requestId)) this.results.set(op.requestId, op);
        return;
      case "erase-results":
        for (const [id, { text, expires }] of this.results)
          if (text.startsWith("[1,") || text.endsWith(`,${op.owner}]`))
            this.results.set(id, { text: ERASED_TEXT, expires });
        return;
      case "wipe":
        for (const kept of [this.state, this.results]) kept.clear();
        for (const list of [this.records, this.recents, this.blocks, this.checkpoints]) list.length = 0;
        return;
      case "sweep-results":
        for (const [id, { expires }] of this.results) if (expires < op.now) this.results.delete(id);
        return;
      case "put-meta":
        this.meta.set(op.name, op.value);
        return;
      default:
        this.#performOnList(op);
    }
  }

  #performOnList(
    op: Op<
      "record" | "replace-record" | "drop-records" | "put-recent" | "drop-recent" | "put-view-block" | "put-checkpoint"
    >,
  ): void {
    switch (op.op) {
      case "record":
        invariant(
          !this.records.some(({ seq, part }) => seq === op.seq && part === op.part),
          "1: a record is written twice",
        );
        this.records.push(op);
        return;
      case "replace-record":
        invariant(
          this.records.some(({ seq }) => seq === op.seq),
          "1: a record is replaced that is not there",
        );
        removeWhere(this.records, ({ seq }) => seq === op.seq);
        this.records.push({ op: "record", seq: op.seq, part: 0, bytes: op.bytes });
        return;
      case "drop-records":
        removeWhere(this.records, ({ seq }) => seq <= op.through);
        return;
      case "put-recent":
        removeWhere(this.recents, ({ seq, part }) => seq === op.seq && part === op.part);
        this.recents.push(op);
        return;
      case "drop-recent":
        removeWhere(this.recents, ({ expires }) => expires < op.expiredAt);
        return;
      case "put-view-block":
        invariant(
          !this.blocks.some((one) => one.flow === op.flow && one.block === op.block && one.part === op.part),
          "1: a block is written twice",
        );
        this.blocks.push(op);
        return;
      case "put-checkpoint":
        if (op.part === 0) removeWhere(this.checkpoints, ({ flow }) => flow === op.flow);
        this.checkpoints.push(op);
    }
  }

  get(stateKey: string): string | undefined {
    return this.state.get(stateKey);
  }

  range(from: string, to: string, limit: number, reverse: boolean): Array<[string, string]> {
    const found = [...this.state].filter(([key]) => within(key, from, to)).sort(([a], [b]) => compareKeys(a, b));
    return (reverse ? found.reverse() : found).slice(0, limit);
  }

  result(requestId: string): string | undefined {
    return this.results.get(requestId)?.text;
  }

  storedResults(requestIds: readonly string[]): Array<[string, string]> {
    return requestIds.flatMap((id): Array<[string, string]> => {
      const text = this.result(id);
      return text === undefined ? [] : [[id, text]];
    });
  }

  resultsAfter(after: string, limit: number): Array<[string, string, number]> {
    const found = [...this.results].filter(([id]) => id > after).sort(([a], [b]) => (a < b ? -1 : 1));
    return found.slice(0, limit).map(([id, { text, expires }]) => [id, text, expires]);
  }

  viewBlocks(flow: string): Array<{ block: number; through: bigint }> {
    return this.blocks.filter((one) => one.flow === flow && one.part === 0).sort((a, b) => a.block - b.block);
  }

  viewBlock(flow: string, block: number): Uint8Array {
    return join(this.blocks.filter((one) => one.flow === flow && one.block === block));
  }

  touch(): void {
    this.touches += 1;
  }

  recovered(): Recovered {
    const folded = Number(this.meta.get("folded") ?? 0);
    const numbers = [...new Set(this.records.map(({ seq }) => seq))]
      .filter((seq) => seq > folded)
      .sort((a, b) => a - b);
    const flows = [...new Set(this.checkpoints.map(({ flow }) => flow))];
    return {
      folded,
      forgotten: this.meta.get("forgotten"),
      restore: this.meta.get(RESTORE_MARK),
      generation: Number(this.meta.get("generation") ?? 0),
      decided: Number(this.meta.get("decided") ?? 0),
      records: numbers.map((seq) => ({ seq, bytes: join(this.records.filter((one) => one.seq === seq)) })),
      recent: [...this.recents].sort((a, b) => a.seq - b.seq || a.part - b.part),
      checkpoints: new Map(
        flows.map((flow) => {
          const parts = this.checkpoints.filter((one) => one.flow === flow);
          return [flow, { meta: parts[0]?.meta ?? "", bytes: join(parts) }];
        }),
      ),
    };
  }
}

function within(key: string, from: string, to: string): boolean {
  return compareKeys(key, from) >= 0 && compareKeys(key, to) < 0;
}

function removeWhere<T>(list: T[], gone: (item: T) => boolean): void {
  for (let at = list.length - 1; at >= 0; at--) if (gone(list[at] as T)) list.splice(at, 1);
}

function join(parts: ReadonlyArray<{ readonly part: number; readonly bytes: Uint8Array }>): Uint8Array {
  const sorted = [...parts].sort((a, b) => a.part - b.part);
  const joined = new Uint8Array(sorted.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of sorted) {
    joined.set(bytes, at);
    at += bytes.length;
  }
  return joined;
}
