/** Erasing takes rows out of blocks that no merge has come to: runs that are much larger than what is folded above them. */
import { expect, test, vi } from "vitest";
import { OUTBOX, movedRowKey } from "../../protocol/outbox/message.ts";
import { SPACE } from "../../protocol/state/blocks/block.ts";
import { damagedData } from "../../protocol/state/blocks/damage.ts";
import { BlockEraser } from "../../protocol/state/blocks/erase.ts";
import { collectionPrefix, encodeEntryKey, entityKey } from "../../protocol/state/state-key.ts";
import type { Write } from "../../protocol/state/store.ts";
import { Folding } from "./support/folding.ts";
import { kernels } from "./support/lone-partition.ts";

const SECRET = "xylophone";
const ERASED = entityKey("s", "erased");
const ENTRY = `${collectionPrefix(ERASED, "c")}${encodeEntryKey("e")}`;
const message = (place: number) => movedRowKey(place, `m${String(place).padStart(31, "0")}`);

/** Much that stays, with some of the secret between, and above it a small run that deletes the secret. */
function folded(above: readonly Write[], below = [ERASED, ENTRY, message(1), message(2)]): Folding {
  const folding = new Folding(1, 1_000);
  const others = Array.from({ length: 20_000 }, (_, n) => entityKey("s", `other-${n}`));
  const puts = [...others.map((key) => [key, "x".repeat(100)]), ...below.map((key) => [key, SECRET])];
  folding.commit(puts.map(([key = "", text = ""]) => ({ op: "put", key, text })));
  folding.folder.force(1);
  folding.settle();
  folding.commit(above);
  folding.folder.force(2);
  folding.settle();
  expect(folding.blocks.trees[SPACE.state].runs.length).toBeGreaterThan(1);
  return folding;
}

/** How often blocks hold the secret. */
function secrets({ seen }: Folding): number {
  const texts = [...seen.stateBlocks.values()].map(({ bytes }) => Buffer.from(bytes).toString("latin1"));
  return texts.reduce((sum, text) => sum + text.split(SECRET).length - 1, 0);
}

function erase(folding: Folding): void {
  const eraser = new BlockEraser(kernels, folding.blocks);
  for (const op of [...eraser.entity(ERASED), ...eraser.hidden(OUTBOX)]) folding.seen.perform(op);
}

test("what a clear voids in a lower run is gone, and so are messages that are deleted above", () => {
  const folding = folded([
    { op: "clear", key: ERASED, text: "" },
    { op: "delete", key: message(1), text: "" },
  ]);
  expect(secrets(folding)).toBe(4);
  erase(folding);
  // The message that is not deleted.
  expect(secrets(folding)).toBe(1);
  const { blocks } = folding;
  expect([ERASED, ENTRY].map((key) => blocks.get(key, ERASED))).toEqual([undefined, undefined]);
  expect([message(1), message(2)].map((key) => blocks.get(key, OUTBOX))).toEqual([undefined, SECRET]);
  expect(blocks.page("", 100_000).length).toBe(20_001);
});

test("what a key kept for others is gone when it was cleared since that moved, and what it has kept since stays", () => {
  const timers = entityKey("#timers", "other");
  const waiting = (id: string) => `${collectionPrefix(timers, "waiting")}${encodeEntryKey(id)}`;
  const above: Write[] = [
    { op: "clear", key: timers, text: "" },
    { op: "put", key: waiting("new"), text: "kept" },
  ];
  const folding = folded(above, [waiting("a"), waiting("new")]);
  expect(secrets(folding)).toBe(2);
  const eraser = new BlockEraser(kernels, folding.blocks);
  for (const op of eraser.hidden("#timers\u0001")) folding.seen.perform(op);
  expect(secrets(folding)).toBe(0);
  expect(["a", "new"].map((id) => folding.blocks.get(waiting(id), timers))).toEqual([undefined, "kept"]);
});

test("what was put in the place of something is all that is left of it", () => {
  const flow = entityKey("#flow:f", "events");
  const lines = (id: string) => `${collectionPrefix(flow, "d")}${encodeEntryKey(id)}`;
  const folding = folded([{ op: "put", key: lines("1"), text: "2 1\n\nother" }], [lines("1"), lines("2")]);
  expect(secrets(folding)).toBe(2);
  const eraser = new BlockEraser(kernels, folding.blocks);
  for (const op of eraser.hidden("#flow:")) folding.seen.perform(op);
  expect(secrets(folding)).toBe(1);
  expect(["1", "2"].map((id) => folding.blocks.get(lines(id), flow))).toEqual(["2 1\n\nother", SECRET]);
});

test("nothing goes that nothing deletes", () => {
  const folding = folded([{ op: "put", key: entityKey("s", "other-1"), text: "y" }]);
  erase(folding);
  expect(secrets(folding)).toBe(4);
});

test("nothing is changed where a block that it needs is damaged: what was cleared would be there again", () => {
  const { blocks, seen } = folded([{ op: "clear", key: ERASED, text: "" }]);
  const before = JSON.stringify(blocks.trees[SPACE.state].runs);
  const read = blocks.read.bind(blocks);
  const damaged = vi.spyOn(blocks, "read").mockImplementation((block, use) => {
    if (blocks.trees[SPACE.state].runs.at(-1)?.blocks.includes(block)) throw damagedData(block, undefined);
    return read(block, use);
  });
  expect(() => new BlockEraser(kernels, blocks).entity(ERASED)).toThrow("damaged");
  expect(JSON.stringify(blocks.trees[SPACE.state].runs)).toBe(before);
  expect(blocks.takeManifest()).toEqual([]);
  damaged.mockRestore();
  for (const op of new BlockEraser(kernels, blocks).entity(ERASED)) seen.perform(op);
  expect(blocks.trees[SPACE.state].runs.some((run) => blocks.trees[SPACE.state].clears(run, ERASED))).toBe(false);
});
