/** Batches that leave with the answer to a batch, between two shells whose machines the test plays. */
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import type { LinkInput } from "../../protocol/link/effects.ts";
import { LIMITS } from "../../protocol/limits.ts";

type Called = readonly [bytes: Uint8Array, beside: { readonly from: number; readonly receipts: readonly unknown[] }];
type Deliver = (...called: Called) => Promise<unknown>;

const platform = vi.hoisted(() => ({
  /** By the object's name. */
  sessions: new Map<string, Deliver>(),
  /** Who was called, with how many bytes, and with which receipts. */
  calls: [] as unknown[],
}));

vi.mock("cloudflare:workers", () => {
  const getByName = (name: string) => ({
    peerSession() {
      const deliver: Deliver = (bytes, beside) => {
        platform.calls.push([name, bytes.length, beside.receipts]);
        return (platform.sessions.get(name) as Deliver)(bytes, beside);
      };
      return Object.assign(Promise.resolve({ deliver, [Symbol.dispose]: () => undefined }), { deliver });
    },
  });
  return { RpcTarget: Object, exports: { Partition: { getByName }, Coordinator: { getByName } } };
});

vi.useFakeTimers();
const { LinkShell } = await import("../../durable/link-shell.ts");
const { Usage } = await import("../../durable/usage.ts");
type Shell = InstanceType<typeof LinkShell>;

/** A partition whose machine does what the test says with its inputs. */
class Machine {
  readonly shell: Shell;
  readonly inputs: LinkInput[] = [];
  /** Sent with the next dispatch. */
  readonly queue: Array<{ readonly to: number; readonly batch: number; readonly bytes: Uint8Array }> = [];
  /** What is done with a batch that comes, beside its receipt. */
  receive: (bytes: Uint8Array) => void = () => undefined;
  refuses = false;
  /** Of the waits that it has asked for: whether what follows was to come in another step of the event loop. */
  readonly waits: boolean[] = [];
  /** Wanted by the next dispatch itself. */
  wantsAnother = false;

  constructor(number: number) {
    const host = {
      input: (input: LinkInput) => this.#input(input),
      gathered: (apart: boolean) => {
        this.waits.push(apart);
        return new Promise<void>((step) => setTimeout(step));
      },
    };
    this.shell = new LinkShell(host, new Usage(), { tenant: "", placement: undefined }, number);
    platform.sessions.set(`partition-${number}`, (bytes, beside) => this.shell.deliver(bytes, beside as never));
  }

  #input(input: LinkInput): void {
    this.inputs.push(input);
    if (input.kind === "dispatch") {
      for (const sent of this.queue.splice(0)) this.shell.perform({ kind: "send", ...sent });
      if (this.wantsAnother) this.shell.perform({ kind: "want-dispatch" });
      this.wantsAnother = false;
    }
    if (input.kind !== "deliver") return;
    this.receive(input.bytes);
    if (this.refuses) this.shell.perform({ kind: "undelivered", ticket: input.ticket });
    else this.shell.perform({ kind: "delivered", ticket: input.ticket, incarnation: 7 });
  }

  send(to: number, batch: number, length: number): void {
    if (this.queue.length === 0) this.shell.perform({ kind: "want-dispatch" });
    this.queue.push({ to, batch, bytes: new Uint8Array(length) });
  }

  get sent(): unknown[] {
    return this.inputs.flatMap((input) => (input.kind === "sent" ? [[input.batch, input.incarnation]] : []));
  }

  get received(): number[] {
    return this.inputs.flatMap((input) => (input.kind === "deliver" ? [input.bytes.length] : []));
  }
}

let one: Machine;
let other: Machine;
beforeEach(() => {
  vi.clearAllTimers();
  platform.calls.length = 0;
  [one, other] = [new Machine(0), new Machine(1)];
});
afterAll(() => void vi.useRealTimers());

/** Some steps of the event loop, and less than receipts wait. */
const soon = () => vi.advanceTimersByTimeAsync(10);

/** What a caller is answered who tells no receipt. */
async function asked(machine: Machine): Promise<unknown> {
  const answer = machine.shell.deliver(new Uint8Array(20), { from: 0, receipts: [] });
  await soon();
  return answer;
}

test("what comes of a batch at once leaves with the answer, and its receipt with the next call", async () => {
  other.receive = () => other.send(0, 50, 30);
  one.send(1, 1, 20);
  await soon();
  expect(platform.calls).toEqual([["partition-1", 20, []]]);
  expect(one.received).toEqual([30]);
  expect(one.sent).toEqual([[1, 7]]);
  expect(other.sent).toEqual([]);
  other.receive = () => undefined;
  one.send(1, 2, 21);
  await soon();
  expect(platform.calls.slice(1)).toEqual([["partition-1", 21, [[50, 7, 7]]]]);
  expect(other.sent).toEqual([[50, 7]]);
});

test("what user functions make of it a few promises later does, too", async () => {
  other.receive = () =>
    void Promise.resolve()
      .then(() => undefined)
      .then(() => other.send(0, 50, 30));
  one.send(1, 1, 20);
  await soon();
  expect(one.received).toEqual([30]);
  expect(platform.calls).toHaveLength(1);
});

test("a receipt goes by itself where no call comes", async () => {
  other.receive = () => other.send(0, 50, 30);
  one.send(1, 1, 20);
  await vi.advanceTimersByTimeAsync(LIMITS.receiptMs + 10);
  expect(platform.calls).toEqual([
    ["partition-1", 20, []],
    ["partition-1", 0, [[50, 7, 7]]],
  ]);
  expect(other.sent).toEqual([[50, 7]]);
  // It is no batch.
  expect(other.received).toEqual([20]);
});

test("nothing comes of a batch: it is answered at once", async () => {
  one.send(1, 1, 20);
  await soon();
  expect(one.sent).toEqual([[1, 7]]);
});

test("as long as one has no receipt, others are calls", async () => {
  other.receive = () => other.send(0, 50, 30);
  one.send(1, 1, 20);
  await soon();
  other.send(0, 51, 31);
  await soon();
  expect(platform.calls.at(-1)).toEqual(["partition-0", 31, []]);
  expect(one.received).toEqual([30, 31]);
  // That one was answered as calls are.
  expect(other.sent).toEqual([[51, 7]]);
});

test("of two batches that come of one, the first is carried", async () => {
  other.receive = (bytes) => {
    if (bytes.length !== 20) return;
    other.send(0, 50, 30);
    other.send(0, 51, 31);
  };
  one.send(1, 1, 20);
  await soon();
  expect(one.received.toSorted()).toEqual([30, 31]);
  expect(platform.calls.map((call) => (call as unknown[])[0])).toEqual(["partition-1", "partition-0"]);
});

test("one that could not be taken is told to be so", async () => {
  other.receive = () => other.send(0, 50, 30);
  one.refuses = true;
  one.send(1, 1, 20);
  await vi.advanceTimersByTimeAsync(LIMITS.receiptMs + 10);
  expect(other.sent).toEqual([[50, null]]);
});

test("a receipt that never comes holds up nothing for longer than until it is sent again", async () => {
  other.receive = () => other.send(0, 50, 30);
  // Another instance took the answer, and is gone.
  expect(await asked(other)).toMatchObject({ batch: 50 });
  other.receive = () => other.send(0, 51, 31);
  expect(await asked(other)).toBe(7);
  await vi.advanceTimersByTimeAsync(LIMITS.replyMs);
  other.receive = () => other.send(0, 52, 32);
  expect(await asked(other)).toMatchObject({ batch: 52 });
});

test("older code, which says nothing beside its batch, is answered by a number", async () => {
  other.receive = () => other.send(0, 50, 30);
  expect(await other.shell.deliver(new Uint8Array(20))).toBe(7);
  await soon();
  expect(platform.calls).toEqual([["partition-0", 30, []]]);
});

test("a receipt for a batch of the instance before is not taken for one of this, which counts anew", async () => {
  other.receive = () => other.send(0, 1, 30);
  expect(await asked(other)).toMatchObject({ batch: 1 });
  other.receive = () => undefined;
  await other.shell.deliver(new Uint8Array(20), { from: 0, receipts: [[1, 7, 6]] });
  expect(other.sent).toEqual([]);
  await other.shell.deliver(new Uint8Array(20), { from: 0, receipts: [[1, 7, 7]] });
  expect(other.sent).toEqual([[1, 7]]);
});

test("what follows a dispatch that has put something into an answer comes in another step: its writes would hold the answer", async () => {
  other.receive = () => other.send(0, 50, 30);
  other.wantsAnother = true;
  one.send(1, 1, 20);
  await soon();
  expect(one.received).toEqual([30]);
  expect(other.waits).toEqual([false, true]);
  expect(one.waits).toEqual([false]);
});

test("what follows a dispatch that has only made calls need not", async () => {
  one.wantsAnother = true;
  one.send(1, 1, 20);
  await soon();
  expect(one.waits).toEqual([false, false]);
});
