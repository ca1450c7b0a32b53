/** Memory of the core: blocks do not overlap, come back, and calls of all sizes stay within bounds. */
import { describe, expect, it } from "vitest";
import { routeBatch } from "../../core-wasm/facade/batch.ts";
import { CoreInstance } from "../../core-wasm/facade/instance.ts";
import { TableKernels } from "../../core-wasm/facade/table.ts";
import { BATCH_SLICE_BYTES, MAX_KEPT_SCRATCH_BYTES } from "../../core-wasm/limits.ts";
import { random } from "./support/random.ts";
import { core as module, utf8 } from "./support/subjects.ts";

const MIB = 1024 * 1024;

describe("blocks", () => {
  it("are aligned, keep their bytes until freed, and never overlap", () => {
    const core = new CoreInstance(module);
    const dice = random(3);
    const live: { at: number; bytes: number; mark: number }[] = [];
    for (let step = 0; step < 60_000; step++) {
      if (live.length < 50 || (live.length < 300 && dice.int(2) === 0)) {
        const bytes = Math.floor(Math.exp(dice.int(1250) / 100));
        const block = { at: core.alloc(bytes), bytes, mark: step & 255 };
        expect(block.at % 16).toBe(0);
        core.u8.fill(block.mark, block.at, block.at + bytes);
        live.push(block);
      } else {
        const index = dice.int(live.length);
        const { at, bytes, mark } = live[index] as (typeof live)[number];
        const memory = core.u8;
        for (const probe of [0, bytes >> 1, bytes - 1]) {
          if (memory[at + probe] !== mark) expect.fail(`step ${step}: a block of ${bytes} bytes was overwritten`);
        }
        core.free(at);
        live[index] = live.at(-1) as (typeof live)[number];
        live.pop();
      }
    }
    for (const { at } of live) core.free(at);
    expect(core.heapBytes).toBe(0);
  });

  it("are reused, large and small alike", () => {
    const core = new CoreInstance(module);
    const cycle = (): void => {
      const blocks = [10, 100, 1000, 10_000, 100_000, MIB].map((bytes) => core.alloc(bytes));
      for (const block of blocks) core.free(block);
    };
    cycle();
    const before = core.memoryBytes;
    for (let i = 0; i < 1000; i++) cycle();
    expect(core.memoryBytes).toBe(before);
  });

  it("merge with their neighbours in whatever order they are freed", () => {
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ];
    for (const order of orders) {
      const core = new CoreInstance(module);
      const blocks = [0, 1, 2].map(() => core.alloc(MIB));
      core.alloc(MIB);
      for (const index of order) core.free(blocks[index] as number);
      expect(core.alloc(3 * MIB), `order ${order.join()}`).toBe(blocks[0]);
    }
  });

  it("cannot be freed twice, nor can anything that is no block", () => {
    const core = new CoreInstance(module);
    for (const bytes of [100, 100_000]) {
      const block = core.alloc(bytes);
      core.free(block);
      expect(() => core.free(block)).toThrow(WebAssembly.RuntimeError);
      expect(() => core.free(block + 16)).toThrow(WebAssembly.RuntimeError);
    }
  });

  it("grow the memory under views that stay valid", () => {
    const core = new CoreInstance(module);
    const small = core.alloc(64);
    core.u8.fill(7, small, small + 64);
    const large = core.alloc(40 * MIB);
    core.u8[large] = 1;
    core.u32[large >> 2] = 5;
    expect([core.u8[small + 63], core.u8[large], core.view.getUint32(large, true)]).toEqual([7, 5, 5]);
  });

  it("beyond what Wasm can address trap instead of wrapping", () => {
    const core = new CoreInstance(module);
    expect(() => core.alloc(0xffffffff)).toThrow(WebAssembly.RuntimeError);
    expect(() => core.scratch(0xffffffff)).toThrow(WebAssembly.RuntimeError);
  });
});

describe("scratch", () => {
  it("stays valid within a call while more is taken", () => {
    const core = new CoreInstance(module);
    core.resetScratch();
    const first = core.writeScratch(utf8("first"));
    const more = [1000, 500_000, 3 * MIB, 10].map((bytes) => {
      const at = core.scratch(bytes);
      core.u8.fill(0xff, at, at + bytes);
      return at;
    });
    expect(new TextDecoder().decode(core.copy(first, 5))).toBe("first");
    expect(new Set([first, ...more]).size).toBe(5);
  });

  it("that grew piece by piece is one block in the next call", () => {
    const core = new CoreInstance(module);
    const take = (): number[] => [1, 2, 3, 4, 5].map(() => core.scratch(300_000));
    core.resetScratch();
    take();
    core.resetScratch();
    const held = core.heapBytes;
    take();
    expect(core.heapBytes).toBe(held);
  });

  it("beyond the kept amount is given back by the next call", () => {
    const core = new CoreInstance(module);
    core.resetScratch();
    core.scratch(30 * MIB);
    expect(core.heapBytes).toBeGreaterThan(30 * MIB);
    core.resetScratch();
    expect(core.heapBytes).toBeLessThanOrEqual(MAX_KEPT_SCRATCH_BYTES + 65536);
  });
});

describe("calls", () => {
  const spec = { kind: 1, version: 1, columns: 4, fields: 5 };

  it("of mixed sizes, a thousand of them, keep memory within twice the largest one", () => {
    const core = new CoreInstance(module);
    const tables = new TableKernels(core);
    const dice = random(5);
    const options = {
      spec,
      groups: new Uint16Array(64).map((_, i) => i % 8),
      edgeId: "e".repeat(24),
      clientScope: null,
      maxRows: 500,
      maxBytes: MIB,
      maxLines: 1e6,
    };
    const line = '{"service":"account","key":"k","function":"f","input":"0123456789"}\n';
    const call = (bytes: number): void => {
      const body = utf8(line.repeat(1 + bytes / line.length));
      const { frames } = routeBatch(core, body, options);
      const frame = frames[0];
      if (frame) tables.unpack(spec, frame.bytes);
    };
    call(2 * MIB);
    const before = core.memoryBytes;
    for (let i = 0; i < 1000; i++) call(dice.int(50) === 0 ? dice.int(2 * MIB) : dice.int(4096));
    expect(core.memoryBytes).toBeLessThanOrEqual(before * 2);
    expect(core.heapBytes).toBeLessThanOrEqual(MAX_KEPT_SCRATCH_BYTES + MIB);
  });

  it("on a body of many slices take memory for one slice only", () => {
    const core = new CoreInstance(module);
    const line = `{"service":"s","key":"k","function":"f","input":"${"x".repeat(900)}"}\n`;
    const body = utf8(line.repeat((4 * BATCH_SLICE_BYTES) / line.length));
    const groups = Uint16Array.of(0);
    const options = {
      spec,
      groups,
      edgeId: "e".repeat(24),
      clientScope: null,
      maxRows: 1e6,
      maxBytes: 1e9,
      maxLines: 1e6,
    };
    const { frames } = routeBatch(core, body, options);
    expect(frames.length).toBeGreaterThan(3);
    expect(core.memoryBytes).toBeLessThan(5 * BATCH_SLICE_BYTES);
  });
});
