/** Versions of messages: who is written to in which, and what becomes of a batch that older code cannot read. */
import { expect, test } from "vitest";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { AgreedFormat } from "../../protocol/coordinator/agreed-format.ts";
import { LIMITS } from "../../protocol/limits.ts";
import type { LinkEffect } from "../../protocol/link/effects.ts";
import { Formats } from "../../protocol/link/formats.ts";
import { Links } from "../../protocol/link/links.ts";
import { decodeBatch, formatNamed, formatOf, NEWEST_FORMAT, type PeerFormat } from "../../protocol/wire/codec.ts";
import type { PeerMessage } from "../../protocol/wire/messages.ts";

const kernels = createReferenceKernels();
const PING: PeerMessage = { kind: "ping" };

class End {
  readonly links: Links;
  readonly received: PeerMessage[] = [];
  effects: LinkEffect[] = [];

  constructor(peer: number, incarnation: number, reads: PeerFormat) {
    const owner = {
      emit: (effect: LinkEffect) => void this.effects.push(effect),
      ready: () => true,
      receive: (_: number, message: PeerMessage) => void this.received.push(message),
      peerRestarted: () => {},
    };
    this.links = new Links(peer, incarnation, kernels, owner, reads);
  }

  sends(): Array<Extract<LinkEffect, { kind: "send" }>> {
    return this.effects.splice(0).filter((effect) => effect.kind === "send");
  }
}

/** Brings everything that waits from one to the other; returns the versions in which it came. */
function exchange(from: End, to: End, now = 0): number[] {
  from.links.dispatch(now);
  return from.sends().map(({ to: peer, batch, bytes }) => {
    to.links.deliver(batch, bytes);
    const done = to.effects.find((effect) => effect.kind === "delivered" && effect.ticket === batch);
    from.links.sent(peer, batch, done?.kind === "delivered" ? done.incarnation : null, now);
    return formatOf(bytes);
  });
}

test("a newer version begins when all have agreed and the peer's incarnation has said that it reads it", () => {
  const formats = new Formats(2);
  expect(formats.for(1)).toBe(1);
  formats.agree(2);
  expect(formats.for(1)).toBe(1);
  formats.heard(1, 2);
  expect(formats.for(1)).toBe(2);
  formats.forget(1);
  expect(formats.for(1)).toBe(1);
  const older = new Formats(1);
  older.agree(2);
  older.heard(1, 2);
  expect(older.for(1)).toBe(1);
});

test("of several newer versions it is the highest that both and all read", () => {
  const formats = new Formats(3);
  formats.agree(3);
  formats.heard(1, 2);
  formats.heard(2, 3);
  expect([formats.for(1), formats.for(2), formats.for(3)]).toEqual([2, 3, 1]);
  formats.agree(2);
  expect([formats.for(1), formats.for(2)]).toEqual([2, 2]);
  // What is not known here yet is as good as the newest.
  formats.agree(9);
  expect(formats.for(2)).toBe(3);
  expect([0, 1, 2, 3, 9].map(formatNamed)).toEqual([1, 1, 2, 3, NEWEST_FORMAT]);
});

test("all agree on the lowest; who has said nothing reads the first", () => {
  const agreed = new AgreedFormat(new Formats(2));
  const registered = new Set([0, 1]);
  agreed.heard(0, 2);
  expect([agreed.lowest(registered), agreed.settle(registered)]).toEqual([1, false]);
  agreed.heard(1, 2);
  expect([agreed.lowest(registered), agreed.settle(registered), agreed.settle(registered)]).toEqual([2, true, false]);
  agreed.heard(0, 1);
  expect([agreed.lowest(registered), agreed.settle(registered)]).toEqual([1, true]);
});

test("who went back to older code is found by a question that it can read, and is sent everything again", () => {
  const one = new End(1, 1, 2);
  const two = new End(2, 1, 2);
  for (const { links } of [one, two]) links.formats.agree(2);
  two.links.send(1, PING, 0);
  exchange(two, one);
  exchange(two, one);
  one.links.send(2, PING, 0);
  expect(exchange(one, two)).toEqual([2]);

  const older = new End(2, 2, 1);
  one.links.send(2, PING, 0);
  expect(exchange(one, older)).toEqual([2]);
  expect(older.effects).toEqual([]);
  one.links.tick(LIMITS.resendMs);
  const sent = one.sends();
  expect(sent.map(({ bytes }) => formatOf(bytes))).toEqual([1, 2]);
  expect(decodeBatch(kernels, sent[0]!.bytes)).toMatchObject({ receiverIncarnation: 0, messages: [] });
  older.links.deliver(1, sent[0]!.bytes);
  one.links.sent(2, sent[0]!.batch, 2, LIMITS.resendMs);
  expect(one.links.incarnationOf(2)).toBe(2);
  one.links.send(2, PING, 0);
  expect(exchange(one, older)).toEqual([1]);
  expect(older.received).toEqual([PING]);
});
