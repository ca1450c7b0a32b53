/** A partition's storage as plain maps: the double of SQLite for the simulator. */
import { invariant } from "../protocol/assert.ts";
import type { StorageOp } from "../protocol/partition/effects.ts";
import type { Recovered } from "../protocol/partition/recovery.ts";
import { RESTORE_MARK } from "../protocol/backup/restore.ts";
import type { StateReader } from "../protocol/state/reader.ts";

type Op<Name extends StorageOp["op"]> = Extract<StorageOp, { op: Name }>;

export class MapStore implements StateReader {
  readonly stateBlocks = new Map<number, Op<"put-block">>();
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

  /** That of the newest record that has one, as the durable store tells it. */
  get mark(): string | undefined {
    const marked = this.records.filter(({ mark }) => mark !== "");
    return marked.toSorted((one, other) => other.seq - one.seq)[0]?.mark;
  }

  /** Fills an empty store. */
  copyInto<Store extends MapStore>(copy: Store): Store {
    for (const [id, block] of this.stateBlocks) copy.stateBlocks.set(id, block);
    for (const [name, value] of this.meta) copy.meta.set(name, value);
    copy.records.push(...this.records);
    copy.recents.push(...this.recents);
    copy.blocks.push(...this.blocks);
    copy.checkpoints.push(...this.checkpoints);
    return copy;
  }

  perform(op: StorageOp): void {
    switch (op.op) {
      case "put-block":
        this.stateBlocks.set(op.id, op);
        return;
      case "wipe":
        this.stateBlocks.clear();
        this.meta.delete("blocks");
        for (const list of [this.records, this.recents, this.blocks, this.checkpoints]) list.length = 0;
        return;
      case "drop-block":
        invariant(this.stateBlocks.delete(op.id), "1: a block is dropped that is not there");
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
      | "record"
      | "replace-record"
      | "drop-records"
      | "put-recent"
      | "drop-recent"
      | "put-view-block"
      | "put-checkpoint"
      | "drop-flow"
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
        this.records.push({ op: "record", seq: op.seq, part: 0, mark: "", bytes: op.bytes });
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
      case "drop-flow":
        removeWhere(this.blocks, ({ flow }) => flow === op.flow);
        removeWhere(this.checkpoints, ({ flow }) => flow === op.flow);
        return;
      case "put-checkpoint":
        if (op.part === 0) removeWhere(this.checkpoints, ({ flow }) => flow === op.flow);
        this.checkpoints.push(op);
    }
  }

  block(id: number): Uint8Array | undefined {
    return this.stateBlocks.get(id)?.bytes;
  }

  viewBlocks(flow: string): Array<{ block: number; through: bigint }> {
    return this.blocks.filter((one) => one.flow === flow && one.part === 0).sort((a, b) => a.block - b.block);
  }

  viewBlock(flow: string, block: number): Uint8Array {
    return join(this.blocks.filter((one) => one.flow === flow && one.block === block));
  }

  get databaseBytes(): number {
    const { records, recents, blocks, checkpoints } = this;
    let bytes = 0;
    for (const block of this.stateBlocks.values()) bytes += block.head.length + block.bytes.length;
    for (const op of [...records, ...recents, ...blocks, ...checkpoints]) bytes += op.bytes.length;
    return bytes;
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
      garbage: this.meta.get("garbage") === "1",
      taken: this.meta.get("taken"),
      records: numbers.map((seq) => ({ seq, bytes: join(this.records.filter((one) => one.seq === seq)) })),
      recent: [...this.recents].sort((a, b) => a.seq - b.seq || a.part - b.part),
      checkpoints: new Map(
        flows.map((flow) => {
          const parts = this.checkpoints.filter((one) => one.flow === flow);
          return [flow, { meta: parts[0]?.meta ?? "", bytes: join(parts) }];
        }),
      ),
      blocks: { heads: this.stateBlocks.values(), manifest: this.meta.get("blocks") },
    };
  }
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
