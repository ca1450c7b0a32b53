/** Records: they come back as they were, and damaged ones do not come back at all. */
import { describe, expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { CorruptError } from "../../core-wasm/types.ts";
import { cut, decodeRecord, encodeRecord, RECORD, type RecordContent } from "../../protocol/record/record.ts";
import { decodeRecent, encodeRecent } from "../../protocol/results/stored-result.ts";

const both = [
  ["wasm", createKernels(loadCore())],
  ["twin", createReferenceKernels()],
] as const;

const content: RecordContent = {
  seq: 4_294_967_295,
  at: 1_800_000_000_123,
  writes: [
    { op: "clear", key: "s\u0001k\u0001", text: "" },
    { op: "put", key: "s\u0001k\u0001", text: '{"n":"ü😀"}' },
    { op: "delete", key: "s\u0001k\u0001c\u0001sa", text: "" },
  ],
  results: [
    { requestId: `c${"0".repeat(31)}`, status: 200, fingerprintLow: 4_294_967_295, fingerprintHigh: 1, body: "null" },
    { requestId: `e${"1".repeat(31)}`, status: 409, fingerprintLow: 0, fingerprintHigh: 0, body: "{}" },
  ],
  flows: [
    { flow: "one", meta: '{"watermark":"1"}', delta: Uint8Array.of(1, 2, 3) },
    { flow: "two", meta: "{}", delta: new Uint8Array(0) },
    { flow: "three", meta: "{}", delta: Uint8Array.of(0, 255) },
  ],
  decided: 2 ** 32 * 7 + 2 ** 32 - 1,
  epoch: {
    epoch: 2 ** 32 * 8 + 1,
    parts: new Map([
      [0, 1],
      [255, 4_294_967_295],
    ]),
  },
};

describe.each(both)("a record packed by %s", (_name, kernels) => {
  test("comes back as it was", () => {
    const decoded = decodeRecord(kernels, encodeRecord(kernels, content));
    expect({
      ...decoded,
      flows: decoded.flows.map((flow) => ({ ...flow, delta: Uint8Array.from(flow.delta) })),
    }).toEqual(content);
  });

  test("of nothing comes back as nothing", () => {
    const empty = { seq: 1, at: 0, writes: [], results: [], flows: [], decided: 0, epoch: null };
    expect(decodeRecord(kernels, encodeRecord(kernels, empty))).toEqual(empty);
  });

  test("is refused wherever one bit of it is changed", () => {
    const bytes = encodeRecord(kernels, content);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      expect(() => decodeRecord(kernels, damaged), `byte ${at}`).toThrow(CorruptError);
    }
  });

  test("is refused when it is cut short or has more", () => {
    const bytes = encodeRecord(kernels, content);
    for (const length of [0, 1, 8, bytes.length - 1]) {
      expect(() => decodeRecord(kernels, bytes.subarray(0, length)), `${length} bytes`).toThrow(CorruptError);
    }
    expect(() => decodeRecord(kernels, Uint8Array.of(...bytes, 0))).toThrow(CorruptError);
  });

  test("of a newer version is refused, not guessed at", () => {
    const newer = kernels.pack(
      { ...RECORD, version: RECORD.version + 1 },
      { rows: 1, columns: [0, 1, 0, 0], fields: ["", ""] },
    );
    expect(() => decodeRecord(kernels, newer)).toThrow(/corrupt bytes \(version\)/);
  });

  test("with a row of unknown kind is refused", () => {
    const strange = kernels.pack(RECORD, { rows: 2, columns: [0, 1, 0, 0, 99, 0, 0, 0], fields: ["", "", "", ""] });
    expect(() => decodeRecord(kernels, strange)).toThrow(/unknown kind 99/);
  });

  test("is the same bytes from both makers of kernels", () => {
    for (const [, other] of both) expect(encodeRecord(kernels, content)).toEqual(encodeRecord(other, content));
  });

  test("recent results come back as they were", () => {
    expect(decodeRecent(kernels, encodeRecent(kernels, content.results))).toEqual(content.results);
  });
});

describe("cutting", () => {
  test("gives parts of the size that, joined, are the whole", () => {
    const bytes = Uint8Array.from({ length: 10 }, (_, n) => n);
    expect(cut(bytes, 4).map((part) => [...part])).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(cut(bytes, 10).length).toBe(1);
    expect(cut(bytes, 5).length).toBe(2);
  });

  test("of nothing gives one empty part", () => {
    expect(cut(new Uint8Array(0), 4)).toEqual([new Uint8Array(0)]);
  });
});
