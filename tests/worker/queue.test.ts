/** Messages of queues at the edge: which of them are events. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ANSWER_FLAG } from "../../protocol/wire/answer.ts";
import { INVOKE_FLAG } from "../../protocol/wire/invoke.ts";
import { defineApp } from "../../sdk/app.ts";
import { problemOf } from "../../sdk/problems.ts";
import { nested, optional, stream, text, timestamp } from "../../sdk/stream.ts";
import { LIMITS } from "../../worker/limits.ts";
import { takeMessages } from "../../worker/queue.ts";
import { FakeBackend, platformError } from "./support/backend.ts";

const Notes = stream("notes", { text: text(), at: timestamp() });
const app = defineApp({ services: [], queues: { notes: Notes } });
const AT = Date.UTC(2026, 0, 1);

function message(id: string, body: unknown) {
  return { id, body, ack: vi.fn(), retry: vi.fn() };
}

describe("a message of bytes", () => {
  it("is an event where they are UTF-8", async () => {
    const backend = new FakeBackend();
    const sent = message("1", new TextEncoder().encode(`{"text":"café","at":${AT}}`));
    await takeMessages(app, backend, { queue: "notes", messages: [sent] });
    expect(sent.ack).toHaveBeenCalledOnce();
    expect(backend.executed[0]?.input).toContain("café");
  });

  it("is none where they are not: another text is not put in place of what was sent", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const backend = new FakeBackend();
    const sent = message("1", new Uint8Array(Buffer.from(`{"text":"café","at":${AT}}`, "latin1")));
    await takeMessages(app, backend, { queue: "notes", messages: [sent] });
    expect(sent.retry).toHaveBeenCalledOnce();
    expect(backend.executed).toHaveLength(0);
    log.mockRestore();
  });
});

describe("a message as a flow's end or an effect sends it", () => {
  const sent = (data: object) => message("q1", { id: "e9-0", at: AT, data });
  const inputOf = async (fields: Parameters<typeof stream>[1], data: object) => {
    const backend = new FakeBackend();
    const definition = defineApp({ services: [], queues: { notes: stream("notes", fields) } });
    await takeMessages(definition, backend, { queue: "notes", messages: [sent(data)] });
    return (JSON.parse(backend.executed[0]?.input ?? "{}") as { messages?: Array<[string, string]> }).messages?.[0];
  };
  const inData = { id: "order-7", at: AT - 60_000 };

  it("is its data, also for a stream whose fields are called like what is around that", async () => {
    expect(await inputOf({ id: text(), at: timestamp() }, inData)).toEqual([
      "notes/sent/e9-0",
      `{"id":"order-7","at":${AT - 60_000}}`,
    ]);
    expect(await inputOf({ at: timestamp(), n: optional(text()) }, { at: AT - 60_000, n: "x" })).toEqual([
      "notes/sent/e9-0",
      `{"at":${AT - 60_000},"n":"x"}`,
    ]);
  });

  it("is itself where the stream has what is under that name", async () => {
    expect(await inputOf({ id: text(), at: timestamp(), n: nested("data.n", optional(text())) }, { n: "x" })).toEqual([
      "notes/q1",
      `{"id":"e9-0","at":${AT},"data":{"n":"x"}}`,
    ]);
  });
});

describe("messages that a partition does not take together", () => {
  const failing = async (answerOf: (input: string) => number) => {
    const backend = new FakeBackend();
    backend.answer = ({ input }) => {
      const status = answerOf(input);
      if (status === 200) return undefined;
      const type = status === 503 ? "overloaded" : status === 504 ? "deadline-exceeded" : "invalid-event";
      return {
        status,
        flags: status === 503 ? ANSWER_FLAG.retryable : 0,
        body: JSON.stringify(problemOf(type)),
      };
    };
    const messages = ["a", "b", "c"].map((id) => message(id, { text: id, at: AT }));
    await takeMessages(app, backend, { queue: "notes", messages });
    const ends = messages.map(({ ack, retry }) => `${ack.mock.calls.length} ${retry.mock.calls.length}`);
    return [ends, backend.arrivals.length];
  };
  const many = (input: string) => (JSON.parse(input) as { messages: unknown[] }).messages.length > 1;

  it("are tried one by one where one of them may be at fault, and none holds up another", async () => {
    const one = (input: string) => (many(input) || input.includes('"notes/a"') ? 422 : 200);
    expect(await failing(one)).toEqual([["0 1", "1 0", "1 0"], 4]);
    const busy = (input: string) => (many(input) ? 422 : input.includes('"notes/a"') ? 503 : 200);
    expect(await failing(busy)).toEqual([["0 1", "1 0", "1 0"], 4]);
  });

  it("are tried one by one where they take too long together", async () => {
    expect(await failing((input) => (many(input) ? 504 : 200))).toEqual([["1 0", "1 0", "1 0"], 4]);
  });

  it("of which one is not answered hold up none behind it", async () => {
    const lost = (input: string) => {
      if (many(input)) return 422;
      if (input.includes('"notes/a"')) throw new Error("the code of the partition has failed");
      return 200;
    };
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => logged.mockRestore());
    expect(await failing(lost)).toEqual([["0 1", "1 0", "1 0"], 4]);
    expect(JSON.stringify(logged.mock.calls)).toContain("was not answered");
  });

  it("are tried one by one for so long only, and the rest comes again", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const slow = (input: string) => {
      if (many(input)) return 422;
      vi.advanceTimersByTime(LIMITS.queueSinglesMs / 2 + 1);
      return 504;
    };
    expect(await failing(slow)).toEqual([["0 1", "0 1", "0 1"], 3]);
  });

  it("come again together where there is no room", async () => {
    expect(await failing(() => 503)).toEqual([["0 1", "0 1", "0 1"], 1]);
  });
});

it("messages that were refused are asked for anew when they come again: what refused them may accept them by then", async () => {
  const backend = new FakeBackend();
  let isFull = true;
  backend.answer = () => (isFull ? { status: 409, body: JSON.stringify(problemOf("invalid-event")) } : undefined);
  const sent = message("1", { text: "x", at: AT });
  await takeMessages(app, backend, { queue: "notes", messages: [sent] });
  isFull = false;
  await takeMessages(app, backend, { queue: "notes", messages: [sent] });
  expect([sent.ack.mock.calls.length, sent.retry.mock.calls.length]).toEqual([1, 1]);
  expect(backend.executed.map(({ flags }) => flags & INVOKE_FLAG.clientId)).toEqual([0, 0]);
});

it("messages of which nobody tells what became are neither taken nor given back: the platform sends them again, and logs why", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const backend = new FakeBackend();
  backend.arrive = () => {
    throw platformError("Network connection lost.", { retryable: true });
  };
  const sent = message("1", { text: "x", at: AT });
  const taken = takeMessages(app, backend, { queue: "notes", messages: [sent] }).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await taken).toMatchObject({ problem: { type: "/problems/deadline-exceeded" } });
  expect([sent.ack.mock.calls.length, sent.retry.mock.calls.length]).toEqual([0, 0]);
});
