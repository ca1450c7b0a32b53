/** Delivery of messages by itself: order within a channel, none between channels, what is sent again and when, and how messages are stored. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { DELIVERED, endingOf, LATER } from "../../protocol/outbox/ending.ts";
import {
  deliveredWrite,
  encodeMessage,
  incarnationOf,
  type Message,
  messageId,
  messageOf,
  messageWrites,
  movedRowKey,
  takenWrite,
  storedMessages,
} from "../../protocol/outbox/message.ts";
import { Outbox, type Try } from "../../protocol/outbox/outbox.ts";
import { outsideLetter } from "../../protocol/outside/work.ts";
import { entityKey } from "../../protocol/state/state-key.ts";
import { StateStore, type Write } from "../../protocol/state/store.ts";
import { PlainState } from "./support/plain-state.ts";

let count = 0;
const message = (sender: string, key: string, input = "1"): Message => {
  const letter = { sender, service: "mail", key, name: "receive", input, coded: true };
  const [write] = messageWrites([letter], () => messageId(1, 1, ++count));
  return messageOf(write as Write) as Message;
};

/** An outbox with what it has handed over and forgotten. */
class Post {
  now = 0;
  posted: string[] = [];
  readonly delivered: string[] = [];
  readonly probed: string[] = [];
  readonly failed: Message[] = [];
  readonly dead: Message[] = [];
  /** How it was that was handed over last. */
  how: Try | undefined;
  readonly outbox = new Outbox({
    post: ({ requestId }, how) => {
      this.posted.push(requestId);
      this.how = how;
    },
    probe: ({ requestId }) => void this.probed.push(requestId),
    delivered: ({ requestId }) => void this.delivered.push(requestId),
    failed: (tried) => void this.failed.push(tried),
    dead: (letter) => void this.dead.push(letter),
    attemptsOf: () => 3,
    now: () => this.now,
  });

  add(...messages: Message[]): void {
    for (const each of messages) this.outbox.add(each);
  }

  /** What is handed over by a flush. */
  released(): string[] {
    this.posted = [];
    this.outbox.release();
    return this.posted;
  }

  /** What is handed over again after a time. */
  after(ms: number): string[] {
    this.posted = [];
    this.now += ms;
    this.outbox.tick(this.now);
    return this.posted;
  }
}

const ids = (...messages: Message[]): string[] => messages.map(({ requestId }) => requestId);

describe("an outbox", () => {
  test("hands over one message of a channel at a time, and those of others beside it", () => {
    const post = new Post();
    const [a1, a2, b1, c1] = [message("a", "x"), message("a", "x"), message("b", "x"), message("a", "y")];
    post.add(a1, a2, b1, c1);
    expect(post.released()).toEqual(ids(a1, b1, c1));
    expect(post.released()).toEqual([]);
    post.outbox.posted(a1.requestId, DELIVERED);
    expect(post.outbox.hasReady).toBe(true);
    expect(post.released()).toEqual(ids(a2));
    for (const each of [b1, c1, a2]) post.outbox.posted(each.requestId, DELIVERED);
    expect(post.delivered).toEqual(ids(a1, b1, c1, a2));
    expect([post.outbox.size, post.outbox.hasReady]).toEqual([0, false]);
  });

  test("keeps those from outside apart from each other", () => {
    const post = new Post();
    const [one, two] = [message("", "x"), message("", "x")];
    post.add(one, two);
    expect(post.released()).toEqual(ids(one, two));
  });

  test("does not take two senders and targets for one, however their keys are spelt", () => {
    const post = new Post();
    const [one, two] = [message("a", "x\nmail\ny"), message("a\nmail\nx", "y")];
    post.add(one, two);
    expect(post.released()).toEqual(ids(one, two));
  });

  test("hands a message over again when nothing is heard of it, and no other before it", () => {
    const post = new Post();
    const [first, second] = [message("a", "x"), message("a", "x")];
    post.add(first, second);
    post.released();
    expect(post.after(LIMITS.repostMs - 1)).toEqual([]);
    expect(post.after(1)).toEqual(ids(first));
  });

  test("waits longer after every failure, up to a limit, and forgets that with a success", () => {
    const post = new Post();
    const [first, second] = [message("a", "x"), message("a", "x")];
    post.add(first, second);
    post.released();
    const pauses: number[] = [];
    for (let n = 0; n < 8; n++) {
      post.outbox.posted(first.requestId, LATER);
      let pause = 0;
      while (post.after(500).length === 0) pause += 500;
      pauses.push(pause + 500);
    }
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    post.outbox.posted(first.requestId, DELIVERED);
    expect(post.released()).toEqual(ids(second));
    post.outbox.posted(second.requestId, LATER);
    expect(post.after(LIMITS.repostMs)).toEqual(ids(second));
  });

  test("hears of a message twice, late, or of one that it does not know, and does nothing", () => {
    const post = new Post();
    const [first, second] = [message("a", "x"), message("a", "x")];
    post.add(first, second);
    post.outbox.posted(first.requestId, DELIVERED);
    expect(post.delivered).toEqual([]);
    post.released();
    post.outbox.posted(second.requestId, DELIVERED);
    post.outbox.posted(first.requestId, DELIVERED);
    post.outbox.posted(first.requestId, DELIVERED);
    post.outbox.posted(first.requestId, LATER);
    post.outbox.posted("m-unknown", DELIVERED);
    expect(post.delivered).toEqual(ids(first));
    expect(post.released()).toEqual(ids(second));
  });

  test("keeps a message that is found twice, in the state and in a record, once", () => {
    const post = new Post();
    const [first, second] = [message("a", "x"), message("a", "x")];
    post.add(first, second, first, second);
    expect(post.outbox.size).toBe(2);
    for (const each of [first, second]) {
      expect(post.released()).toEqual(ids(each));
      post.outbox.posted(each.requestId, DELIVERED);
    }
    expect(post.released()).toEqual([]);
    expect([post.delivered, post.outbox.size]).toEqual([ids(first, second), 0]);
    expect(post.after(LIMITS.repostMs)).toEqual([]);
  });

  test("hands over again at once what may have died elsewhere, but not what has failed there", () => {
    const post = new Post();
    const [first, failed] = [message("a", "x"), message("b", "x")];
    post.add(first, failed);
    post.released();
    post.outbox.posted(failed.requestId, LATER);
    post.outbox.restart();
    expect(post.released()).toEqual(ids(first));
  });

  test("counts what failed, not what could not be tried, says which try is the last, and goes on behind what is given up", () => {
    const post = new Post();
    const [first, second] = [message("a", "x"), message("a", "x")];
    post.add(first, second);
    const failure = (last: boolean) => endingOf(500, '{"type":"/problems/internal-error"}', "Error: no", last);
    for (const [ending, last] of [
      [LATER, false],
      [failure(false), false],
      [LATER, false],
      [failure(false), false],
      [failure(true), true],
    ] as const) {
      while ([...post.released(), ...post.after(LIMITS.repostMs)].length === 0) expect(post.dead).toEqual([]);
      expect(post.how === "last").toBe(last);
      post.outbox.posted(first.requestId, ending);
    }
    expect(post.failed.map(({ tries }) => tries?.length)).toEqual([1, 2]);
    expect(post.dead).toHaveLength(1);
    const [dead] = post.dead as [Message];
    expect([dead.requestId, dead.row]).toEqual([first.requestId, first.row]);
    expect(dead.tries?.map(({ status, type, error }) => [status, type, error])).toEqual(
      Array.from({ length: 3 }, () => [500, "internal-error", "Error: no"]),
    );
    expect([post.delivered, post.outbox.size]).toEqual([[], 1]);
    expect(post.released()).toEqual(ids(second));
  });

  test("gives up at once what its target says can never succeed", () => {
    const post = new Post();
    const first = message("a", "x");
    post.add(first);
    post.released();
    post.outbox.posted(
      first.requestId,
      endingOf(422, '{"type":"/problems/invalid-input","detail":"it is"}', "", false),
    );
    expect(post.dead.map(({ tries }) => tries?.map(({ type, error }) => [type, error]))).toEqual([
      [["invalid-input", "it is"]],
    ]);
    expect(post.outbox.size).toBe(0);
  });

  test("gives up at once what the engine says no to with the status of a refusal, and forgets what is refused", () => {
    const post = new Post();
    const [refused, exists, changed] = [message("a", "x"), message("b", "x"), message("c", "x")];
    post.add(refused, exists, changed);
    post.released();
    const ending = (type: string) =>
      endingOf(409, JSON.stringify({ type: `/problems/${type}`, detail: "no" }), "", false);
    post.outbox.posted(refused.requestId, ending("mail/no"));
    post.outbox.posted(exists.requestId, ending("promise-exists"));
    post.outbox.posted(changed.requestId, ending("flow-changed"));
    expect([ids(...post.dead), post.delivered, post.outbox.size]).toEqual([ids(exists), ids(refused), 1]);
    // What was recorded of an answer has no body.
    expect(endingOf(409, "", "", true)).toBe(DELIVERED);
  });

  test("gives up what is to be erased before it forgets it, since it may be under way, and forgets at once what waits behind", () => {
    const post = new Post();
    const [a, b, c, d] = [message("a", "x", "gone"), message("a", "x", "gone"), message("a", "x"), message("b", "x")];
    post.add(a, b, c, d);
    expect(post.released()).toEqual(ids(a, d));
    const erase = () => post.outbox.erase(({ input }) => input === "gone");
    expect(erase()).toEqual({ erased: [b], pending: 1 });
    expect(post.released()).toEqual(ids(a));
    expect(post.how).toBe("give-up");
    expect(erase()).toEqual({ erased: [], pending: 1 });
    expect(post.released()).toEqual([]);
    // It could not be tried: it is not forgotten yet, and given up again.
    post.outbox.posted(a.requestId, LATER);
    expect(erase()).toEqual({ erased: [], pending: 1 });
    expect([post.released(), post.how]).toEqual([ids(a), "give-up"]);
    post.outbox.posted(a.requestId, { done: false, dead: true, error: "" });
    expect(erase()).toEqual({ erased: [], pending: 0 });
    expect([post.delivered, post.dead]).toEqual([ids(a), []]);
    expect([post.released(), post.how]).toEqual([ids(c), "one"]);
  });

  test("and one that has run meanwhile is forgotten like any other", () => {
    const post = new Post();
    const a = message("a", "x");
    post.add(a);
    expect(post.outbox.erase(() => true)).toEqual({ erased: [], pending: 1 });
    expect([post.released(), post.how]).toEqual([ids(a), "give-up"]);
    post.outbox.posted(a.requestId, DELIVERED);
    expect(post.delivered).toEqual(ids(a));
    expect(post.outbox.size).toBe(0);
  });

  test("is full by the number of messages and by their bytes", () => {
    const post = new Post();
    const units = Math.ceil(LIMITS.maxUndeliveredBytes / 3 / 8);
    const large = Array.from({ length: 9 }, () => message("", "x", "y".repeat(units)));
    for (const each of large) {
      expect(post.outbox.isFull).toBe(each === large.at(-1));
      post.add(each);
    }
    post.released();
    for (const { requestId } of large.slice(0, 2)) post.outbox.posted(requestId, DELIVERED);
    expect(post.outbox.isFull).toBe(false);
    for (let n = post.outbox.size; n < LIMITS.maxUndelivered; n++) post.add(message("a", "x"));
    expect(post.outbox.isFull).toBe(true);
  });
});

describe("messages as rows", () => {
  const letters: Message[] = [
    { ...message(entityKey("mail", "\u0000\u0001 line\nfeed"), "ü\n"), input: '"a\\nb"\n' },
    { ...message("", "x"), input: "", coded: false },
  ];
  const stored = (disk: PlainState, writes = messageWrites(letters, () => ids(...letters)[at++ % 2] as string)) => {
    const store = new StateStore(disk, 1_000_000);
    store.apply(writes, 1);
    return store;
  };
  let at = 0;

  test("come back with what has failed", () => {
    const tries = [{ at: 17, status: 500, type: "internal-error", error: "Error: \n no" }];
    const tried = { ...(letters[0] as Message), tries };
    expect(messageOf({ op: "put", key: tried.row, text: encodeMessage(tried) })).toEqual(tried);
  });

  test("come back as they were", () => {
    expect(messageWrites(letters, () => ids(...letters)[at++ % 2] as string).map(messageOf)).toEqual(letters);
    expect(messageOf(deliveredWrite(letters[0] as Message))).toBeUndefined();
    expect(messageOf({ op: "put", key: entityKey("mail", "x"), text: "{}" })).toBeUndefined();
  });

  test("are found whether they are folded or not, without the delivered ones, oldest first, over many pages", () => {
    const disk = new PlainState();
    const many = Array.from({ length: 2_500 }, () => message("a", "x"));
    const writes = messageWrites(
      many,
      (() =>
        (
          (n) => () =>
            ids(...many)[n++] as string
        )(0))(),
    );
    for (const [n, { key, text }] of writes.entries()) if (n % 3 === 0) disk.put(key, text);
    const unfolded = writes.filter((_, n) => n % 3 !== 0);
    const store = stored(disk, [...unfolded, deliveredWrite(many[0] as Message), deliveredWrite(many[1] as Message)]);
    expect([...storedMessages(store)].map(({ requestId }) => requestId)).toEqual(ids(...many.slice(2)));
  });

  test("that came with their sender are found before those that it sent here, in the order in which they came", () => {
    // Made in a partition of a higher number, so that by their ids they would come last.
    const moved = [messageId(9, 7, 5), messageId(9, 7, 6), messageId(8, 1, 1)];
    const own = message("a", "x");
    const text = encodeMessage(own);
    const writes: Write[] = moved.map((id, place) => ({ op: "put", key: movedRowKey(place, id), text }));
    const store = stored(new PlainState(), [{ op: "put", key: own.row, text }, ...writes.toReversed()]);
    const found = [...storedMessages(store)];
    expect(found.map(({ requestId }) => requestId)).toEqual([...moved, own.requestId]);
    store.apply([deliveredWrite(found[0] as Message)], 2);
    expect([...storedMessages(store)]).toEqual(found.slice(1));
  });

  test("that came with their sender name the incarnation that took them, and what earlier code took names none", () => {
    const [id, text] = [messageId(9, 7, 5), encodeMessage(message("a", "x"))];
    const sent: Write = { op: "put", key: movedRowKey(3, id), text };
    const [earlier, taken] = [sent, takenWrite(sent, 12)].map((write) => messageOf(write) as Message);
    expect([earlier, taken].map((one) => [one?.requestId, incarnationOf(one as Message, 9)])).toEqual([
      [id, null],
      [id, 12],
    ]);
    expect([incarnationOf(message("a", "x"), 1), incarnationOf(message("a", "x"), 2)]).toEqual([1, null]);
    const own: Write = { op: "put", key: message("a", "x").row, text };
    expect(takenWrite(own, 12)).toBe(own);
  });

  test("have ids of one length, in the order in which they are made, over restarts too", () => {
    const made = [
      messageId(0, 1, 1),
      messageId(0, 1, 255),
      messageId(0, 1, 256),
      messageId(0, 2, 1),
      messageId(0, 16, 1),
    ];
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made.map(({ length }) => length))).toEqual(new Set([32]));
  });
});

describe("what is to wait for long", () => {
  const effect = (sender: string): Message => {
    const work = { to: null, at: 0, failures: 0, notBefore: 0 };
    const [write] = messageWrites([outsideLetter(sender, "k", "act", work, "")], () => messageId(1, 1, ++count));
    return messageOf(write as Write) as Message;
  };

  test("keeps nobody awake, and goes on at its time", () => {
    const post = new Post();
    const [a, b] = [effect("s"), effect("s")];
    post.add(a, b);
    // Effects are channels by themselves.
    expect(post.released()).toEqual(ids(a, b));
    expect([post.outbox.isAwake, post.outbox.wakeAt]).toEqual([true, Infinity]);
    post.outbox.postpone(a, 600_000);
    post.outbox.postpone(b, 300_000);
    expect([post.outbox.isAwake, post.outbox.wakeAt, post.outbox.size]).toEqual([false, 300_000, 2]);
    expect(post.after(299_999)).toEqual([]);
    expect(post.outbox.isAwake).toBe(false);
    post.now += 1;
    expect(post.outbox.isAwake).toBe(true);
    expect(post.after(0)).toEqual(ids(b));
    post.outbox.take(b.requestId);
    expect([post.outbox.isAwake, post.outbox.wakeAt, post.outbox.size]).toEqual([false, 600_000, 1]);
    expect(post.outbox.erase(() => true)).toMatchObject({ erased: [a], pending: 0 });
    expect([post.outbox.isAwake, post.outbox.wakeAt]).toEqual([false, Infinity]);
  });

  test("but not for very long does", () => {
    const post = new Post();
    const a = effect("s");
    post.add(a);
    post.released();
    post.outbox.postpone(a, LIMITS.timerAwakeMs);
    expect([post.outbox.isAwake, post.outbox.wakeAt]).toEqual([true, Infinity]);
  });
});
