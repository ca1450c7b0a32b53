/** Long bodies that are of no use afterwards: their memory is given back, and the frame goes into its message without a copy. */
import { expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { EVENT_FRAME_ROOM, MAX_KEPT_FRAME } from "../../core-wasm/limits.ts";
import { loadCore } from "../../core-wasm/load-node.ts";

const kernels = createKernels(loadCore());
const COLUMNS = [
  { name: "n", type: "i64" },
  { name: "text", type: "text" },
] as const;
const SPEC = { kind: 3, version: 1, columns: 1, fields: 1 };

const bodyOf = (events: number): Uint8Array =>
  new TextEncoder().encode(
    Array.from({ length: events }, (_, n) => `{"n":${n},"text":"${"é".repeat(30)}${n}"}`).join("\n"),
  );

function parsed(body: Uint8Array, spend: boolean) {
  const outcome = kernels.parseEvents(body, COLUMNS, "ndjson", { spend });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.fault));
  return outcome;
}

test("a long body is gone, and its message is the same as one whose frame was copied", () => {
  const body = bodyOf(120_000);
  const kept = parsed(body, false);
  expect(kept.frame.length).toBeGreaterThan(MAX_KEPT_FRAME);
  expect([body.length > 0, kept.room]).toEqual([true, undefined]);
  const spent = parsed(body, true);
  expect([body.length, spent.room]).toEqual([0, EVENT_FRAME_ROOM]);
  expect(Buffer.compare(spent.frame, kept.frame)).toBe(0);
  expect([spent.rows, spent.fingerprint]).toEqual([kept.rows, kept.fingerprint]);
  for (const field of ["a", "ab", "é".repeat(100), "x".repeat(EVENT_FRAME_ROOM)]) {
    const input = { rows: 1, columns: [7], fields: [field] };
    const copied = kernels.pack(SPEC, { ...input, tail: kept.frame });
    const joined = kernels.pack(SPEC, { ...input, tail: spent.frame, room: spent.room });
    expect(Buffer.compare(copied, joined)).toBe(0);
    expect(joined.buffer === spent.frame.buffer).toBe(field.length < EVENT_FRAME_ROOM);
    const table = kernels.unpack(SPEC, joined);
    expect([table.column(0, 0), table.field(0, 0), Buffer.compare(table.tail, kept.frame)]).toEqual([7, field, 0]);
  }
});

test("a short one, one that is refused, and one in memory that it shares stay", () => {
  const short = bodyOf(10);
  expect(parsed(short, true).room).toBeUndefined();
  expect(short.length).toBeGreaterThan(0);
  const wrong = new Uint8Array([...bodyOf(120_000), 0x7b]);
  expect(kernels.parseEvents(wrong, COLUMNS, "ndjson", { spend: true }).ok).toBe(false);
  expect(wrong.length).toBeGreaterThan(0);
  const shared = new Uint8Array([0x0a, ...bodyOf(120_000)]).subarray(1);
  expect(parsed(shared, true).rows).toBe(120_000);
  expect(shared.length).toBeGreaterThan(0);
});
