/** Messages between peers: every kind comes back as it was, and what is damaged or unknown does not come back at all. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { CorruptError, type Kernels } from "../../core-wasm/types.ts";
import { epochOf } from "../../protocol/epochs/epoch.ts";
import {
  type Batch,
  type BatchHead,
  BatchWriter,
  decodeBatch,
  encodeBatch,
  formatOf,
  PEER,
  type PeerFormat,
} from "../../protocol/wire/codec.ts";
import { COORDINATOR, type PeerMessage } from "../../protocol/wire/messages.ts";

const kernels = createKernels(loadCore());
const both = [
  ["wasm", kernels],
  ["twin", createReferenceKernels()],
] as const;

/** A batch as it was read, participants as a map: of one they are none. */
function read(by: Kernels, bytes: Uint8Array): Batch {
  const batch = decodeBatch(by, bytes);
  const messages = batch.messages.map((message) =>
    message.kind === "answer" ? { ...message, parts: new Map(message.parts) } : message,
  );
  return { ...batch, messages };
}

const LAST_EPOCH = epochOf(2 ** 21 - 1, 2 ** 32 - 1);

const wide = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32, LAST_EPOCH));
const u32 = fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 0xffff_ffff));
const peer = fc.oneof(fc.nat(0xffff), fc.constant(COORDINATOR));
const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("", "\0", "1:2,3|4;5=6", "ü😀\ufeff"));
const id = fc.record({ root: peer, incarnation: u32, attempt: wide });
const place = fc.record({ peer, activation: wide });
const places = fc.array(place, { maxLength: 4 });
const map = (value: fc.Arbitrary<number>) =>
  fc.uniqueArray(fc.tuple(peer, value), { maxLength: 5, selector: ([first]) => first }).map((pairs) => new Map(pairs));
const outcome = fc.oneof(
  fc.record({ ok: fc.constant(true as const), value: fc.option(text) }),
  fc.record({
    ok: fc.constant(false as const),
    failure: fc.constantFrom("refusal" as const, "engine" as const, "thrown" as const),
    detail: text,
  }),
);
const counts = fc.array(fc.record({ peer, incarnation: u32, finishes: wide }), { maxLength: 4 });
const format = fc.constantFrom<PeerFormat[]>(1, 2, 3);
const kind = <K extends PeerMessage["kind"]>(name: K) => fc.constant(name);

/** One entry per kind of message; the type fails when one is missing. */
const MESSAGES: { [K in PeerMessage["kind"]]: fc.Arbitrary<Extract<PeerMessage, { kind: K }>> } = {
  call: fc.record({
    ...{ kind: kind("call"), id, age: wide, callId: wide, caller: u32, depth: u32, path: places, scopes: places },
    ...{
      snapshot: wide,
      at: wide,
      service: text,
      key: text,
      name: text,
      input: fc.option(text),
      reading: fc.boolean(),
    },
  }),
  answer: fc.record({ kind: kind("answer"), id, callId: wide, outcome, parts: map(u32), clock: wide }),
  finish: fc.record({ kind: kind("finish"), id, epoch: wide, drop: fc.boolean() }),
  abort: fc.record({ kind: kind("abort"), id }),
  kill: fc.record({ kind: kind("kill"), id }),
  inquire: fc.record({ kind: kind("inquire"), id }),
  ping: fc.record({ kind: kind("ping") }),
  chase: fc.record({
    kind: kind("chase"),
    id,
    origin: place,
    path: places,
    callId: wide,
    tried: fc.boolean(),
    hops: u32,
    probe: u32,
  }),
  cycle: fc.record({ kind: kind("cycle"), id, activation: wide }),
  "scope-end": fc.record({ kind: kind("scope-end"), id, scope: place, undo: fc.boolean() }),
  "scope-ended": fc.record({ kind: kind("scope-ended"), id, scope: place }),
  settled: fc.record({
    kind: kind("settled"),
    requestIds: fc.array(fc.string({ unit: "binary-ascii", minLength: 32, maxLength: 32 }), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  post: fc
    .record({
      kind: kind("post"),
      requestId: text,
      service: text,
      key: text,
      name: text,
      input: text,
      coded: fc.boolean(),
      how: fc.constantFrom("one", "last", "give-up"),
    })
    .map(({ how, ...post }) => ({ ...post, last: how !== "one", giveUp: how === "give-up" })),
  posted: fc.record({
    kind: kind("posted"),
    requestId: text,
    done: fc.boolean(),
    dead: fc.boolean(),
    error: text,
  }),
  "too-old": fc.record({ kind: kind("too-old"), id, decided: wide }),
  "move-begin": fc.record({ kind: kind("move-begin"), version: u32, stream: u32, frozen: wide }),
  "move-chunk": fc.record({
    ...{ kind: kind("move-chunk"), stream: u32, number: wide, frozen: wide, content: text },
    stage: fc.constantFrom("more" as const, "copied" as const, "last" as const),
  }),
  "move-taken": fc.record({ kind: kind("move-taken"), stream: u32, number: wide, enough: fc.boolean() }),
  hello: fc.record({ kind: kind("hello"), reads: format, recorded: wide }),
  report: fc.record({
    ...{ kind: kind("report"), damaged: fc.boolean(), generation: u32, decided: wide, reads: format },
    records: fc.array(fc.record({ epoch: wide, parts: map(u32) }), { maxLength: 4 }),
  }),
  join: fc.record({ kind: kind("join") }),
  want: fc.record({ kind: kind("want"), epoch: wide }),
  closed: fc.record({
    kind: kind("closed"),
    epoch: wide,
    tagged: wide,
    counts,
    rejoin: fc.boolean(),
    ordered: fc.boolean(),
  }),
  prepared: fc.record({ kind: kind("prepared"), epoch: wide }),
  refuse: fc.record({ kind: kind("refuse"), epoch: wide }),
  moved: fc.record({ kind: kind("moved"), version: u32, source: peer, sourceIncarnation: u32, frozen: wide }),
  recover: fc.record({ kind: kind("recover"), generation: u32 }),
  era: fc.record({
    ...{ kind: kind("era"), generation: u32, base: wide, open: wide, committed: wide, format },
    aborted: fc.array(fc.tuple(wide, wide), { maxLength: 4 }),
    ...{ map: text, next: text, frozen: fc.boolean() },
  }),
  decided: fc.record({ kind: kind("decided"), epoch: wide }),
  joined: fc.record({ kind: kind("joined"), epoch: wide, sole: fc.boolean(), previous: wide }),
  close: fc.record({ kind: kind("close"), epoch: wide }),
  prepare: fc.record({
    kind: kind("prepare"),
    decides: fc.boolean(),
    epoch: wide,
    parts: map(u32),
    expect: map(wide),
    previous: wide,
  }),
  decide: fc.record({ kind: kind("decide"), epoch: wide }),
};
const head: fc.Arbitrary<BatchHead> = fc.record({
  ...{ sender: peer, senderIncarnation: u32, receiverIncarnation: u32, first: wide, era: wide, reads: format },
});
const anyMessage: fc.Arbitrary<PeerMessage> = fc.oneof(...Object.values(MESSAGES));

describe.each(Object.entries(MESSAGES))("%s", (_kind, message: fc.Arbitrary<PeerMessage>) => {
  test("comes back as it was", () => {
    fc.assert(
      fc.property(head, format, fc.array(message, { maxLength: 4 }), (first, version, messages) => {
        const bytes = encodeBatch(kernels, first, messages, version);
        expect(formatOf(bytes)).toBe(version);
        expect(read(kernels, bytes)).toEqual({ ...first, messages });
      }),
    );
  });
});

test("a batch of any messages comes back, from the kernel and from its twin, and within its estimate", () => {
  fc.assert(
    fc.property(head, format, fc.array(anyMessage, { maxLength: 12 }), (first, version, messages) => {
      const writer = new BatchWriter(first, version);
      for (const message of messages) writer.add(message);
      for (const [, subject] of both) {
        const bytes = writer.pack(subject);
        expect(bytes.length).toBeLessThanOrEqual(writer.bytes + 32);
        expect(read(subject, bytes)).toEqual({ ...first, messages });
      }
    }),
  );
});

const HEAD: BatchHead = { sender: 3, senderIncarnation: 7, receiverIncarnation: 2, first: 1, era: 5, reads: 1 };
const ID = { root: 1, incarnation: 1, attempt: 1 };

test("an answer whose parts are its sender alone carries no text for them", () => {
  const answer = (parts: Map<number, number>): PeerMessage => ({
    ...{ kind: "answer", id: ID, callId: 1, outcome: { ok: true, value: "" }, parts, clock: 9 },
  });
  const alone = encodeBatch(kernels, HEAD, [answer(new Map([[3, 7]]))]);
  expect(kernels.unpack(PEER, alone).field(1, 0)).toBe("");
  for (const parts of [new Map<number, number>(), new Map([[3, 6]]), new Map([[4, 7]])]) {
    const bytes = encodeBatch(kernels, HEAD, [answer(parts)]);
    expect(kernels.unpack(PEER, bytes).field(1, 0)).not.toBe("");
    expect(read(kernels, bytes).messages).toEqual([answer(parts)]);
  }
});

/** A batch whose only message is this row. */
function withRow(columns: readonly number[], extra: string): Uint8Array {
  const sound = kernels.unpack(PEER, encodeBatch(kernels, HEAD, []));
  const first = Array.from({ length: PEER.columns }, (_, column) => sound.column(0, column));
  const row = Array.from({ length: PEER.columns }, (_, column) => columns[column] ?? 0);
  const fields = [...new Array<string>(PEER.fields).fill(""), extra, "", "", "", ""];
  return kernels.pack(PEER, { rows: 2, columns: [...first, ...row], fields });
}

test.each([
  ["a row of unknown kind", [99], ""],
  ["another head", [0], ""],
  ["unknown flags", [3 | (2 << 8)], ""],
  ["an unknown outcome", [2 | (5 << 8)], ""],
  ["a number beyond 53 bits", [35, 0, 2 ** 21], ""],
  ["letters for numbers", [8], "1:x"],
  ["a number with a sign", [8], "1:-2"],
  ["a tuple too short", [8], "1"],
  ["a tuple too long", [8], "1:2:3"],
  ["an unfinished list", [8], "1:2,"],
  ["a number that is not safe", [8], "1:9007199254740993"],
  ["a record without an epoch", [33], "=1:2"],
  ["an unsafe epoch", [33], "9007199254740993=1:2"],
  ["a participant twice", [68], "1:2,1:3|"],
  ["a prepare without expectations", [68], "1:2"],
  ["a call with a third list", [1], "||"],
  ["participants without their mark", [2], "1:2"],
])("%s is refused as corrupt", (_what, columns, extra) => {
  expect(() => decodeBatch(kernels, withRow(columns, extra))).toThrow(CorruptError);
});

test("a table without a head, and flipped bytes, are refused as corrupt", () => {
  expect(() => decodeBatch(kernels, kernels.pack(PEER, { rows: 0, columns: [], fields: [] }))).toThrow(CorruptError);
  const bytes = encodeBatch(kernels, HEAD, [{ kind: "ping" }]);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    expect(() => decodeBatch(kernels, damaged)).toThrow(CorruptError);
  }
});

test.each([-1, 0.5, 2 ** 53, Number.NaN])("a number that cannot be read back (%s) is not written", (epoch) => {
  expect(() => encodeBatch(kernels, HEAD, [{ kind: "want", epoch }])).toThrow("8:");
});

test("the second version is smaller, and says what the first does", () => {
  const messages: PeerMessage[] = [
    { kind: "finish", id: { root: COORDINATOR, incarnation: 1, attempt: 9 }, epoch: 4, drop: true },
  ];
  const [first, second] = [encodeBatch(kernels, HEAD, messages, 1), encodeBatch(kernels, HEAD, messages, 2)];
  expect(second.length).toBe(first.length - 8);
  expect(read(kernels, second)).toEqual(read(kernels, first));
});
