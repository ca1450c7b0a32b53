/** Links: between a pair of incarnations every message is handled once and in order, whatever the network and restarts do. */
import { describe, expect, test } from "vitest";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { CorruptError } from "../../core-wasm/types.ts";
import { LIMITS } from "../../protocol/limits.ts";
import type { LinkEffect } from "../../protocol/link/effects.ts";
import { type BatchHead, decodeBatch, encodeBatch } from "../../protocol/wire/codec.ts";
import { Instance, Net } from "./support/link-net.ts";

const kernels = createReferenceKernels();
const PEERS = [1, 2, 3];
const SEEDS = 150;

function disturb(net: Net): void {
  const speaker = net.random.oneIn(4) && net.zombies.length > 0 ? net.random.pick(net.zombies) : anyone(net);
  for (let i = net.random.int(4); i >= 0; i--)
    speaker.say(net.random.pick(PEERS.filter((peer) => peer !== speaker.peer)));
  net.pump(speaker);
  if (net.random.oneIn(60)) net.start(net.random.pick(PEERS));
  if (net.random.oneIn(40)) net.zombies = net.zombies.slice(1);
  if (net.random.oneIn(25)) {
    const later = anyone(net);
    later.era++;
    later.links.drain();
    net.pump(later);
  }
}
const anyone = (net: Net): Instance => net.current.get(net.random.pick(PEERS))!;

/** What one instance heard of another peer goes by incarnations of that peer, upwards; within one, numbers follow each other. */
function expectInOrder(net: Net): void {
  for (const hearer of net.all) {
    for (const peer of PEERS) {
      const heard = hearer.heard.filter(({ from }) => from === peer);
      heard.slice(1).forEach((next, i) => {
        const before = heard[i]!;
        if (next.incarnation === before.incarnation) expect(next.payload).toBe(before.payload + 1);
        else expect(next.incarnation).toBeGreaterThan(before.incarnation);
      });
    }
  }
}

function settle(net: Net): void {
  net.faulty = false;
  net.zombies = [];
  const last = Math.max(...[...net.current.values()].map(({ era }) => era));
  // In the first round some learn of a restart, and lose what they had for the incarnation before; the second loses nothing.
  for (let round = 0; round < 2; round++) sayToAll(net, last);
}

function sayToAll(net: Net, era: number): void {
  for (const instance of net.current.values()) {
    instance.era = era;
    for (const peer of PEERS) if (peer !== instance.peer) instance.say(peer);
    instance.links.drain();
    net.pump(instance);
  }
  for (let i = 0; i < 3_000 && ![...net.current.values()].every(({ links }) => links.isIdle); i++) net.step(20);
}

/** Everything sent on the channels of the last incarnations has arrived, once, from the channel's first message on. */
function expectComplete(net: Net): void {
  for (const sender of net.current.values()) {
    expect(sender.links.isIdle).toBe(true);
    for (const [to, { first, last }] of sender.sent) {
      expect(last).toBeGreaterThanOrEqual(first);
      const heard = net.current.get(to)!.heard.filter(({ from }) => from === sender.peer);
      const expected = Array.from({ length: last - first + 1 }, (_, i) => first + i);
      expect(heard.slice(heard.length - expected.length).map(({ payload }) => payload)).toEqual(expected);
    }
  }
}

test(`over ${SEEDS} seeds of loss, duplicates, disorder, restarts and replaced instances`, () => {
  let heard = 0;
  let restarts = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const net = new Net(seed);
    for (const peer of PEERS) net.start(peer);
    for (let i = 0; i < 200; i++) {
      disturb(net);
      net.step(net.random.int(40));
    }
    settle(net);
    expectInOrder(net);
    expectComplete(net);
    for (const instance of net.all) {
      heard += instance.heard.length;
      restarts += instance.restarts.length;
    }
  }
  expect(heard).toBeGreaterThan(SEEDS * 100);
  expect(restarts).toBeGreaterThan(SEEDS);
});

type Send = Extract<LinkEffect, { kind: "send" }>;
const sends = (instance: Instance) =>
  instance.effects.splice(0).filter((effect): effect is Send => effect.kind === "send");
/** The batch of one more message. */
function nextTo(instance: Instance, peer: number): Send {
  instance.say(peer);
  instance.links.dispatch(0);
  return sends(instance)[0] as Send;
}
const head = (from: Partial<BatchHead>): BatchHead => ({
  ...{ sender: 2, senderIncarnation: 5, receiverIncarnation: 3, first: 1, era: 0, reads: 1 },
  ...from,
});
const batch = (from: Partial<BatchHead>, ...payloads: number[]) =>
  encodeBatch(
    kernels,
    head(from),
    payloads.map((epoch) => ({ kind: "want", epoch })),
  );

describe("arriving batches", () => {
  test.each([
    ["of an unknown binding: answered, not handled", { receiverIncarnation: 0 }, "answered", 0],
    ["for an older incarnation: answered, not handled", { receiverIncarnation: 2 }, "answered", 0],
    ["for a newer incarnation: no answer", { receiverIncarnation: 4 }, "replaced", 0],
    ["for this incarnation: answered and handled", {}, "answered", 1],
  ] as const)("%s", (_what, from, delivery, heard) => {
    const instance = new Instance(1, 3);
    expect(instance.links.deliver(9, batch(from, 1))).toBe(delivery);
    const answer = { kind: "delivered", ticket: 9, incarnation: 3 };
    expect(instance.effects).toEqual(delivery === "answered" ? [answer] : []);
    expect(instance.heard).toHaveLength(heard);
  });

  test("a replaced sender gets no answer", () => {
    const instance = new Instance(1, 3);
    instance.links.seedIncarnation(2, 6);
    expect(instance.links.deliver(1, batch({}, 1))).toBe("fenced");
    expect([instance.effects, instance.heard]).toEqual([[], []]);
  });

  test("out of order and twice: handled in order, once", () => {
    const instance = new Instance(1, 3);
    for (const first of [3, 3, 1, 1, 3, 5]) instance.links.deliver(first, batch({ first }, first, first + 1));
    expect(instance.heard.map(({ payload }) => payload)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("damaged: refused with nothing changed", () => {
    const instance = new Instance(1, 3);
    expect(() => instance.links.deliver(1, batch({}, 1).fill(0, 40, 50))).toThrow(CorruptError);
    expect(instance.links.incarnationOf(2)).toBe(0);
  });

  test("of a later era: held with all behind, until drained", () => {
    const instance = new Instance(1, 3);
    instance.links.deliver(1, batch({ era: 7 }, 1, 2));
    instance.links.deliver(2, batch({ first: 3 }, 3));
    expect([instance.heard, instance.links.held]).toEqual([[], 3]);
    instance.era = 7;
    instance.links.drain();
    expect([instance.heard.length, instance.links.held]).toEqual([3, 0]);
  });

  test("beyond what may be held: no answer, but the batch whose turn it is always finds room", () => {
    const instance = new Instance(1, 3);
    const many = Array.from({ length: LIMITS.maxHeldMessages + 1 }, (_, i) => i + 2);
    expect(instance.links.deliver(1, batch({ first: 2 }, ...many))).toBe("answered");
    expect(instance.links.congested).toBe(true);
    const after = LIMITS.maxHeldMessages + 3;
    expect(instance.links.deliver(2, batch({ first: after }, after))).toBe("full");
    expect(instance.links.deliver(3, batch({}, 1))).toBe("answered");
    expect([instance.heard.length, instance.links.congested]).toEqual([LIMITS.maxHeldMessages + 2, false]);
  });
});

describe("leaving messages", () => {
  test("one dispatch is asked for; the incarnation is asked for first; then all leaves as one batch", () => {
    const instance = new Instance(1, 3);
    for (let i = 0; i < 3; i++) instance.say(2);
    expect(instance.effects.splice(0)).toEqual([{ kind: "want-dispatch" }]);
    instance.links.dispatch(0);
    const [question, ...others] = sends(instance);
    expect(others).toEqual([]);
    expect(decodeBatch(kernels, question!.bytes)).toMatchObject({ receiverIncarnation: 0, messages: [] });
    instance.links.sent(2, question!.batch, 5, 1);
    expect(instance.effects.splice(0)).toEqual([{ kind: "want-dispatch" }]);
    instance.links.dispatch(1);
    const [first] = sends(instance);
    expect(decodeBatch(kernels, first!.bytes).messages).toHaveLength(3);
    expect(instance.links.unacknowledged).toBe(3);
    instance.links.sent(2, first!.batch, 5, 2);
    expect(instance.links.isIdle).toBe(true);
  });

  test("eras and limits split batches, and several are in flight at a time", () => {
    const instance = new Instance(1, 3);
    instance.links.seedIncarnation(2, 5);
    for (let i = 0; i < LIMITS.maxBatchMessages + 2; i++) instance.say(2);
    instance.era = 1;
    instance.say(2);
    instance.links.dispatch(0);
    const batches = sends(instance).map(({ bytes }) => decodeBatch(kernels, bytes));
    expect(batches.map(({ first, era, messages }) => [first, era, messages.length])).toEqual([
      [1, 0, LIMITS.maxBatchMessages],
      [LIMITS.maxBatchMessages + 1, 0, 2],
      [LIMITS.maxBatchMessages + 3, 1, 1],
    ]);
  });

  test("a batch is cut when it has reached its bytes", () => {
    const instance = new Instance(1, 3);
    instance.links.seedIncarnation(2, 5);
    const input = "x".repeat(LIMITS.maxBatchBytes / 6 + 1);
    const post = {
      kind: "post",
      requestId: "",
      service: "",
      key: "",
      name: "",
      input,
      coded: true,
      last: false,
      giveUp: false,
    } as const;
    for (let i = 0; i < 5; i++) instance.links.send(2, post, 0);
    instance.links.dispatch(0);
    const batches = sends(instance).map(({ bytes }) => decodeBatch(kernels, bytes));
    expect(batches.map(({ messages }) => messages.length)).toEqual([2, 2, 1]);
  });

  test("what failed is sent again after a pause that doubles, and what is never heard of, after longer", () => {
    const instance = new Instance(1, 3);
    instance.links.seedIncarnation(2, 5);
    instance.say(2);
    instance.links.dispatch(0);
    const [first] = sends(instance);
    let now = 0;
    for (const pause of [200, 400, 800, 1_600, 2_000, 2_000]) {
      instance.links.sent(2, first!.batch, null, now);
      expect(instance.links.tick(now + pause - 1)).toBe(true);
      expect(sends(instance)).toEqual([]);
      instance.links.tick((now += pause));
      expect(sends(instance)).toEqual([first]);
    }
    instance.links.tick(now + LIMITS.replyMs - 1);
    expect(sends(instance)).toEqual([]);
    instance.links.tick(now + LIMITS.replyMs);
    expect(sends(instance)).toEqual([first]);
    instance.links.sent(2, first!.batch, 5, now);
    expect(instance.links.tick(now + 60_000)).toBe(false);
  });

  test("what a later batch has overtaken is sent again soon, more and more seldom, without further signs", () => {
    const instance = new Instance(1, 3);
    instance.links.seedIncarnation(2, 5);
    const [first, second, third] = [nextTo(instance, 2), nextTo(instance, 2), nextTo(instance, 2)];
    instance.links.sent(2, second.batch, 5, 10);
    // Another that overtakes it as well changes nothing.
    instance.links.sent(2, third.batch, 5, 60);
    let now = 10;
    for (const pause of [LIMITS.overtakenMs, 600, 1_200, 2_000, 2_000]) {
      instance.links.tick(now + pause - 1);
      expect(sends(instance)).toEqual([]);
      instance.links.tick((now += pause));
      expect(sends(instance)).toEqual([first]);
    }
    instance.links.sent(2, first.batch, 5, now);
    expect(instance.links.tick(now + 60_000)).toBe(false);
  });

  test("what was sent behind an acknowledged batch is not overtaken by it", () => {
    const instance = new Instance(1, 3);
    instance.links.seedIncarnation(2, 5);
    const [first, second] = [nextTo(instance, 2), nextTo(instance, 2)];
    instance.links.sent(2, first.batch, 5, 10);
    instance.links.tick(LIMITS.replyMs - 1);
    expect(sends(instance)).toEqual([]);
    instance.links.tick(LIMITS.replyMs);
    expect(sends(instance)).toEqual([second]);
  });

  test("an answer of a higher incarnation ends the channel; one of a lower changes nothing", () => {
    const instance = new Instance(1, 3);
    instance.links.seedIncarnation(2, 5);
    instance.say(2);
    instance.links.dispatch(0);
    const [first] = sends(instance);
    instance.say(2);
    instance.links.sent(2, first!.batch, 4, 0);
    expect([instance.links.unacknowledged, instance.restarts]).toEqual([2, []]);
    instance.links.sent(2, first!.batch, 6, 0);
    expect([instance.links.unacknowledged, instance.restarts]).toEqual([0, [[2, 6, 5]]]);
    instance.say(2);
    instance.links.sent(2, first!.batch, 5, 0);
    instance.effects.length = 0;
    instance.links.dispatch(1);
    const [next] = sends(instance);
    expect(decodeBatch(kernels, next!.bytes)).toMatchObject({ receiverIncarnation: 6, first: 1 });
  });

  test("too many unacknowledged messages are congestion, and none is lost", () => {
    const instance = new Instance(1, 3);
    instance.links.seedIncarnation(2, 5);
    for (let i = 0; i <= LIMITS.maxUnacknowledged; i++) instance.say(2);
    expect(instance.links.congested).toBe(true);
    instance.links.dispatch(0);
    const batches = sends(instance);
    instance.links.sent(2, batches[0]!.batch, 5, 1);
    expect(instance.links.congested).toBe(false);
    for (const { batch: number } of batches.slice(1)) instance.links.sent(2, number, 5, 1);
    expect(instance.links.isIdle).toBe(true);
  });
});
