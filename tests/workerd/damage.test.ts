/** Damaged bytes: a partition whose storage is damaged serves nothing, a damaged frame changes nothing. */
import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { SPACE } from "../../protocol/state/blocks/block.ts";
import { INVOKE } from "../../protocol/wire/invoke.ts";
import {
  ask,
  call,
  freshKey,
  freshKeyNear,
  inside,
  look,
  partitionOf,
  problemOf,
  run,
  statusOf,
  stub,
} from "./support/app.ts";
import { blocksOf, type FoundBlock, fold } from "./support/fold.ts";
import { refusalOf } from "./support/refusal.ts";
import { add, on, shown } from "./support/steps.ts";

const kernels = createReferenceKernels();

function frameOf(key: string): Uint8Array {
  const requestId = `e${Date.now().toString(16).padStart(11, "0")}${"a".repeat(12)}00000001`;
  return kernels.pack(INVOKE, {
    rows: 1,
    columns: [1, 0, 0, 0],
    fields: [requestId, "account", key, "deposit", '{"amount":5}'],
  });
}

describe("a damaged frame", () => {
  test("is refused wherever a byte of it is changed, and changes nothing", async () => {
    const key = freshKey();
    await call(["account", key], "deposit", { amount: 1 });
    const sound = frameOf(key);
    const { seq } = await statusOf(key);
    for (let at = 0; at < sound.length; at++) {
      const damaged = Uint8Array.from(sound);
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      expect(await refusalOf(() => stub(partitionOf(key)).invoke(damaged)), `byte ${at}`).toMatch(/corrupt bytes/);
    }
    expect((await ask(["account", key], "balance")).body).toBe(1);
    expect(await statusOf(key)).toMatchObject({ waiting: 0, attempts: 0, locks: 0, seq });
  });

  test("that is cut short or empty is refused", async () => {
    const sound = frameOf(freshKey());
    for (const length of [0, 1, 15, 16, sound.length - 1]) {
      expect(await refusalOf(() => stub(0).invoke(sound.subarray(0, length)))).toMatch(/corrupt bytes/);
    }
  });

  test("of another kind is refused", async () => {
    expect(await refusalOf(() => stub(0).ingest(frameOf(freshKey())))).toMatch(/corrupt bytes \(kind\)/);
  });
});

describe("a damaged record", () => {
  /** Changes one byte of the newest record of a key's partition. */
  function damage(key: string, offset: (length: number) => number): Promise<void> {
    return inside(key, ({ storage }) => {
      const { id, bytes } = storage.sql.exec("SELECT id, bytes FROM records ORDER BY id DESC LIMIT 1").one() as {
        id: number;
        bytes: ArrayBuffer;
      };
      const changed = new Uint8Array(bytes.slice(0));
      const at = offset(changed.length);
      changed[at] = (changed[at] as number) ^ 1;
      storage.sql.exec("UPDATE records SET bytes = ? WHERE id = ?", changed, id);
    });
  }

  test("makes the partition refuse every request with an error, apply nothing, and come back once it is mended", async () => {
    const key = freshKey();
    const elsewhere = freshKeyNear(key, false);
    await call(["account", key], "deposit", { amount: 1 });
    for (const offset of [() => 0, (length: number) => length >> 1, (length: number) => length - 1]) {
      await damage(key, offset);
      await abortAllDurableObjects();
      expect(await refusalOf(() => stub(partitionOf(key)).invoke(frameOf(key)))).toMatch(/corrupt bytes/);
      expect(await refusalOf(() => stub(partitionOf(key)).status())).toMatch(/corrupt bytes/);
      expect((await call(["account", elsewhere], "deposit", { amount: 1 })).status).toBe(200);
      await damage(key, offset);
      await abortAllDurableObjects();
      expect((await ask(["account", key], "balance")).body).toBe(1);
    }
    expect((await call(["account", key], "deposit", { amount: 1 })).body).toBe(2);
  });

  test("is an internal error to callers, and says nothing of what was in it", async () => {
    const key = freshKey();
    await call(["account", key], "deposit", { amount: 1 });
    await damage(key, (length) => length >> 1);
    await abortAllDurableObjects();
    const answer = await call(["account", key], "deposit", { amount: 1 });
    expect([answer.status, problemOf(answer)]).toEqual([500, "internal-error"]);
    await damage(key, (length) => length >> 1);
    await abortAllDurableObjects();
  });

  test("fails transactions that call its partition at once, and none that does not", async () => {
    const key = freshKey();
    const [from, to] = [freshKeyNear(key, false), freshKey()];
    const transfer = (at: string) => run(["pa", from], [add(-1), on("call", ["pa", at], add(1))]);
    await call(["account", key], "deposit", { amount: 1 });
    await damage(key, (length) => length >> 1);
    await abortAllDurableObjects();
    const answer = await transfer(freshKeyNear(key, true));
    expect([answer.status, problemOf(answer)]).toEqual([500, "internal-error"]);
    const elsewhere = partitionOf(to) === partitionOf(key) ? freshKeyNear(from, true) : to;
    expect((await transfer(elsewhere)).status).toBe(200);
    await damage(key, (length) => length >> 1);
    await abortAllDurableObjects();
    expect((await transfer(freshKeyNear(key, true))).status).toBe(200);
    expect(await look(["pa", from])).toEqual(shown(-2));
  });

  interface Row {
    readonly slot: number;
    readonly id: number;
    readonly mark: string;
    readonly bytes: ArrayBuffer;
  }

  test("that is missing in the middle is found missing", async () => {
    const key = freshKey();
    for (let n = 0; n < 3; n++) await call(["account", key], "deposit", { amount: 1 });
    const taken = await inside(key, ({ storage }) => {
      const [, second] = storage.sql
        .exec("SELECT slot, id, mark, bytes FROM records ORDER BY id DESC LIMIT 2")
        .toArray();
      const taken = second as unknown as Row;
      storage.sql.exec("DELETE FROM records WHERE slot = ?", taken.slot);
      return taken;
    });
    await abortAllDurableObjects();
    expect((await ask(["account", key], "balance")).status).toBe(500);
    await inside(
      key,
      ({ storage }) =>
        void storage.sql.exec("INSERT INTO records VALUES (?, ?, ?, ?)", taken.slot, taken.id, taken.mark, taken.bytes),
    );
    await abortAllDurableObjects();
    expect((await ask(["account", key], "balance")).body).toBe(3);
  });
});

describe("a damaged block", () => {
  /** Keys of one partition with a balance each, folded; and the id of the block that holds the first of them. */
  async function folded(count: number): Promise<{ keys: string[]; id: number; others: string[] }> {
    const first = freshKey();
    const keys = [first, ...Array.from({ length: count - 1 }, () => freshKeyNear(first, true))];
    for (const key of keys) await call(["values", key], "pad", { chars: 40_000, fill: "p" });
    await fold(first);
    const blocks = await blocksOf(first);
    const mine = blocks.find((one) => holds(one, first)) as FoundBlock;
    const others = keys.filter((key) => blocks.some((one) => one !== mine && holds(one, key)));
    return { keys: keys.filter((key) => holds(mine, key)), id: mine.block.id, others };
  }

  function holds({ rows }: FoundBlock, key: string): boolean {
    return rows.some((row) => row.key.includes(`\u0001${key}\u0001`));
  }

  function change(key: string, id: number, column: "head" | "bytes", offset: (length: number) => number) {
    return inside(key, ({ storage }) => {
      const bytes = storage.sql.exec(`SELECT ${column} FROM blocks WHERE id = ?`, id).one()[column] as ArrayBuffer;
      const changed = new Uint8Array(bytes.slice(0));
      const at = offset(changed.length);
      changed[at] = (changed[at] as number) ^ 4;
      storage.sql.exec(`UPDATE blocks SET ${column} = ? WHERE id = ?`, changed, id);
    });
  }

  test("fails what reads it with a type of its own, and nothing else", async () => {
    const { keys, id, others } = await folded(12);
    const [key] = keys as [string];
    expect(others.length).toBeGreaterThan(0);
    for (const offset of [() => 0, (length: number) => length >> 1, (length: number) => length - 1]) {
      await change(key, id, "bytes", offset);
      await abortAllDurableObjects();
      for (const one of keys) {
        const answer = await ask(["values", one], "padding");
        expect([answer.status, problemOf(answer)]).toEqual([500, "damaged-data"]);
      }
      for (const one of others) expect((await ask(["values", one], "padding")).body).toMatchObject({ chars: 40_000 });
      const near = freshKeyNear(key, true);
      expect((await call(["account", near], "deposit", { amount: 1 })).body).toBe(1);
      await change(key, id, "bytes", offset);
      await abortAllDurableObjects();
      expect((await ask(["values", key], "padding")).body).toMatchObject({ chars: 40_000 });
    }
  });

  test("does not stop folds and merges of what it does not touch", async () => {
    const { keys, id, others } = await folded(12);
    const [key] = keys as [string];
    await change(key, id, "bytes", (length) => length >> 1);
    await abortAllDurableObjects();
    for (let round = 0; round < 3; round++) {
      for (const one of others) await call(["values", one], "pad", { chars: 30_000 + round, fill: "q" });
      await fold(key);
    }
    await abortAllDurableObjects();
    for (const one of others) expect((await ask(["values", one], "padding")).body).toMatchObject({ chars: 30_002 });
    expect(problemOf(await ask(["values", key], "padding"))).toBe("damaged-data");
    await change(key, id, "bytes", (length) => length >> 1);
    await abortAllDurableObjects();
    expect((await ask(["values", key], "padding")).body).toMatchObject({ chars: 40_000 });
  });

  test("whose head alone is damaged is read all the same", async () => {
    const { keys, id } = await folded(8);
    const [key] = keys as [string];
    for (const offset of [() => 0, (length: number) => length >> 1, (length: number) => length - 1]) {
      await change(key, id, "head", offset);
      await abortAllDurableObjects();
      expect((await ask(["values", key], "padding")).body).toMatchObject({ chars: 40_000 });
      await change(key, id, "head", offset);
    }
  });

  test("that is missing, or an earlier one, makes the partition refuse everything", async () => {
    const { keys, id } = await folded(8);
    const [key] = keys as [string];
    const taken = await inside(key, ({ storage }) => {
      const { head, bytes } = storage.sql.exec("SELECT head, bytes FROM blocks WHERE id = ?", id).one();
      storage.sql.exec("DELETE FROM blocks WHERE id = ?", id);
      return { head: head as ArrayBuffer, bytes: bytes as ArrayBuffer };
    });
    await abortAllDurableObjects();
    expect(await refusalOf(() => stub(partitionOf(key)).status())).toMatch(/corrupt bytes \(length\): \d+ blocks/);
    await inside(
      key,
      ({ storage }) => void storage.sql.exec("INSERT INTO blocks VALUES (?, ?, ?)", id, taken.head, taken.bytes),
    );
    await abortAllDurableObjects();
    expect((await ask(["values", key], "padding")).body).toMatchObject({ chars: 40_000 });
  });

  test("of results fails repetitions of the requests in it, and runs none of them again", async () => {
    const key = freshKey();
    const near = freshKeyNear(key, true);
    const id = `damaged-${key}`;
    expect((await call(["account", key], "deposit", { amount: 1 }, id)).body).toBe(1);
    await fold(near);
    const results = (await blocksOf(key)).filter(({ block }) => block.space === SPACE.results);
    expect(results.length).toBeGreaterThan(0);
    for (const { block } of results) await change(key, block.id, "bytes", (length) => length >> 1);
    await abortAllDurableObjects();
    const again = await call(["account", key], "deposit", { amount: 1 }, id);
    expect([again.status, problemOf(again)]).toEqual([500, "damaged-data"]);
    expect((await ask(["account", key], "balance")).body).toBe(1);
    for (const { block } of results) await change(key, block.id, "bytes", (length) => length >> 1);
    await abortAllDurableObjects();
    expect((await call(["account", key], "deposit", { amount: 1 }, id)).body).toBe(1);
    expect((await ask(["account", key], "balance")).body).toBe(1);
  });
});
