import { afterEach, describe, expect, it, vi } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { ANSWER_FLAG, encodeAnswers } from "../../protocol/wire/answer.ts";
import { initialMap } from "../../protocol/keygroups/map.ts";
import { problemOf } from "../../sdk/problems.ts";
import { LIMITS } from "../../worker/limits.ts";
import { FakeBackend, platformError } from "./support/backend.ts";
import { edge, problemIn, resultLines } from "./support/edge.ts";

const core = loadCore();
const NDJSON = { "content-type": "application/x-ndjson" };
const invocation = (key: string, input: unknown = null, name = "deposit") =>
  JSON.stringify({ service: "account", key, function: name, input });

/** `count` lines over `keys` keys, numbered in their input. */
function lines(count: number, keys: number): string {
  let text = "";
  for (let i = 1; i <= count; i++) text += `${invocation(`key-${(i * 7) % keys}`, i)}\n`;
  return text;
}

function batchEdge() {
  const { backend, post, ask } = edge(new FakeBackend(createKernels(core)));
  const batch = (body: BodyInit, search = "", headers: Record<string, string> = {}) =>
    post(`/v1/batch${search}`, body, { ...NDJSON, ...headers });
  return { backend, batch, ask };
}

/** Each key's inputs were executed in the order of their lines, and once. */
function expectOrder(backend: FakeBackend, count: number): void {
  const lastOf = new Map<string, number>();
  for (const { key, line } of backend.executed) {
    expect(line).toBeGreaterThan(lastOf.get(key) ?? 0);
    lastOf.set(key, line);
  }
  expect(backend.executed).toHaveLength(count);
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a batch", () => {
  it("answers each line with its number, in NDJSON", async () => {
    const { batch, backend } = batchEdge();
    const body = [invocation("a", { x: 1 }), invocation("b", null, "transfer"), invocation("a", "last")].join("\n");
    const response = await batch(body);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const results = (await resultLines(response)).toSorted((a, b) => a.line - b.line);
    expect(results).toEqual([
      { line: 1, status: 200, result: { service: "account", key: "a", function: "deposit", input: { x: 1 } } },
      { line: 2, status: 409, problem: expect.objectContaining({ type: "/problems/account/insufficient-funds" }) },
      { line: 3, status: 200, result: { service: "account", key: "a", function: "deposit", input: "last" } },
    ]);
    expect(backend.executed.map(({ requestId }) => requestId.slice(0, 24)).every((id, _, all) => id === all[0])).toBe(
      true,
    );
  });

  it("answers lines that are no invocations with their problems, and runs the others", async () => {
    const { batch, backend } = batchEdge();
    const body = [
      "{",
      invocation("a"),
      "[]",
      '{"service":"account","function":"deposit"}',
      '{"service":"account","key":"","function":"deposit"}',
      '{"service":"account","key":7,"function":"deposit"}',
      `{"service":"account","key":"${"x".repeat(513)}","function":"deposit"}`,
      '{"service":true,"key":"a","function":"deposit"}',
      "",
      invocation("b"),
    ].join("\n");
    const results = (await resultLines(await batch(body, "?ordered=1"))).map(({ line, status, problem }) => [
      line,
      status,
      problem?.type,
    ]);
    expect(results).toEqual([
      [1, 400, "/problems/malformed-json"],
      [2, 200, undefined],
      [3, 400, "/problems/invalid-line"],
      [4, 400, "/problems/invalid-line"],
      [5, 400, "/problems/invalid-key"],
      [6, 400, "/problems/invalid-key"],
      [7, 400, "/problems/key-too-large"],
      [8, 400, "/problems/invalid-line"],
      [10, 200, undefined],
    ]);
    expectOrder(backend, 2);
  });

  it("does not run a line whose input no call may bring, whoever asks", async () => {
    const { batch, backend } = batchEdge();
    const most = "x".repeat(LIMITS.callBodyBytes - 2);
    const response = await batch([invocation("a", `${most}y`), invocation("b", most), invocation("c", 1)].join("\n"));
    const results = (await resultLines(response)).toSorted((a, b) => a.line - b.line);
    expect(results.map(({ status }) => status)).toEqual([413, 200, 200]);
    expect(results[0]?.problem).toMatchObject({ type: "/problems/body-too-large", limit: LIMITS.callBodyBytes });
    expect(backend.executed.map(({ key }) => key).toSorted()).toEqual(["b", "c"]);
  });

  it("is empty when nothing is asked", async () => {
    const { batch } = batchEdge();
    for (const body of ["", "\n\n", "\r\n"]) expect(await resultLines(await batch(body, "?ordered=1"))).toEqual([]);
  });

  it("runs 5,000 lines, one frame at a time for each partition, in order for each key", async () => {
    const { batch, backend } = batchEdge();
    const results = await resultLines(await batch(lines(5_000, 100)));
    expect(new Set(results.map(({ line }) => line)).size).toBe(5_000);
    expect(results.every(({ status }) => status === 200)).toBe(true);
    expect(backend.maxInFlightPerPartition).toBe(1);
    expect(backend.arrivals.length).toBeGreaterThanOrEqual(5_000 / LIMITS.frameRows);
    expectOrder(backend, 5_000);
  });

  it("refuses too many lines before it runs any", async () => {
    const { batch, backend } = batchEdge();
    const response = await batch(`${invocation("a")}\n`.repeat(LIMITS.batchLines + 1));
    expect(response.status).toBe(413);
    expect(await problemIn(response)).toMatchObject({ type: "/problems/batch-too-large", limit: LIMITS.batchLines });
    expect(backend.arrivals).toHaveLength(0);
  });

  it.each(["application/json", "application/xml"])("refuses the content type %s", async (type) => {
    expect((await batchEdge().batch("{}", "", { "content-type": type })).status).toBe(415);
  });

  it.each(["application/x-ndjson", "application/ndjson", "text/plain;charset=UTF-8"])(
    "takes the content type %s",
    async (type) => {
      expect((await batchEdge().batch(invocation("a"), "", { "content-type": type })).status).toBe(200);
    },
  );

  it("refuses other values of ?ordered=", async () => {
    expect((await problemIn(await batchEdge().batch("", "?ordered=yes"))).type).toBe("/problems/invalid-parameter");
  });

  it("replays lines by Idempotency-Key and the line's id", async () => {
    const { batch, backend } = batchEdge();
    const line = (id: string) => `{"service":"account","key":"a","function":"deposit","id":"${id}"}\n`;
    const headers = { "idempotency-key": '"batch-1"' };
    await resultLines(await batch(line("x") + line("y"), "", headers));
    const results = await resultLines(await batch(line("y") + line("z"), "?ordered=1", headers));
    expect(results.map(({ line, replayed }) => [line, replayed])).toEqual([
      [1, true],
      [2, undefined],
    ]);
    expectOrderedIds(backend, 3);
    await resultLines(await batch(line("x"), "", { "idempotency-key": '"batch-2"' }));
    expectOrderedIds(backend, 4);
  });
});

function expectOrderedIds(backend: FakeBackend, count: number): void {
  const ids = backend.executed.map(({ requestId }) => requestId);
  expect(new Set(ids).size).toBe(count);
  for (const id of ids) expect(id).toMatch(/^c[0-9a-f]{31}$/);
}

describe("a batch whose messages get lost", () => {
  it("keeps the order of each key and runs each line once", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { batch, backend } = batchEdge();
    let chance = 12345;
    const failures = new Map<string, number>();
    // Never so often that a frame would be given up.
    const failing = (bytes: Uint8Array) => {
      chance = (Math.imul(chance, 1103515245) + 12345) >>> 0;
      const frame = Buffer.from(bytes.subarray(24, 32)).toString("hex");
      const before = failures.get(frame) ?? 0;
      if (chance / 2 ** 32 > 0.4 || before === LIMITS.attempts - 1) return false;
      failures.set(frame, before + 1);
      return true;
    };
    backend.arrive = ({ bytes }) => {
      if (failing(bytes)) throw platformError("Network connection lost.", { retryable: true });
    };
    backend.leave = (answer, { bytes }) => {
      if (failing(bytes)) throw platformError("Network connection lost.", { retryable: true });
      return failing(bytes) ? answer.subarray(0, answer.length - 1) : answer;
    };
    const answered = resultLines(await batch(lines(6_000, 50)));
    await vi.advanceTimersByTimeAsync(60_000);
    const results = await answered;
    expect(results.filter(({ status }) => status === 200)).toHaveLength(6_000);
    expect(backend.arrivals.length).toBeGreaterThan(20);
    expectOrder(backend, 6_000);
  });

  it("does not call its own repetition a replay", async () => {
    const { batch, backend } = batchEdge();
    backend.leave = (answer, { index }) => {
      if (index === 0) throw platformError("Network connection lost.", { retryable: true });
      return answer;
    };
    const [result] = await resultLines(await batch(invocation("a")));
    expect(result).toMatchObject({ line: 1, status: 200 });
    expect(result).not.toHaveProperty("replayed");
  });

  it("does not let a later frame of a partition overtake one that is retried", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { batch, backend } = batchEdge();
    backend.map = initialMap(1);
    const order: string[] = [];
    backend.arrive = ({ index, bytes }) => {
      order.push(Buffer.from(bytes.subarray(24, 32)).toString("hex"));
      if (index === 0 || index === 2) throw platformError("Network connection lost.", { retryable: true });
    };
    const answered = resultLines(await batch(lines(3 * LIMITS.frameRows, 1)));
    await vi.advanceTimersByTimeAsync(60_000);
    await answered;
    const [first, second, third] = [order[0], order[2], order[4]];
    expect(order).toEqual([first, first, second, second, third]);
    expect(new Set([first, second, third]).size).toBe(3);
    expectOrder(backend, 3 * LIMITS.frameRows);
  });

  it("ends the lines of a partition that does not come back, and those of the others get their results", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { batch, backend } = batchEdge();
    backend.arrive = ({ partition }) => {
      if (partition === 2) throw platformError("Network connection lost.", { retryable: true });
    };
    const answered = resultLines(await batch(lines(6_000, 50)));
    await vi.advanceTimersByTimeAsync(60_000);
    const results = await answered;
    expect(new Set(results.map(({ line }) => line)).size).toBe(6_000);
    const unknown = results.filter(({ problem }) => problem?.type === "/problems/deadline-exceeded");
    const unsent = results.filter(({ problem }) => problem?.type === "/problems/overloaded");
    expect(unknown).toHaveLength(LIMITS.frameRows);
    expect(unsent.length).toBeGreaterThan(0);
    expect(backend.arrivals.filter(({ partition }) => partition === 2)).toHaveLength(LIMITS.attempts);
    expectOrder(backend, 6_000 - unknown.length - unsent.length);
  });

  it("passes on a row that nothing was done for, and does not run it behind later lines of its key", async () => {
    const { batch, backend } = batchEdge();
    const body = JSON.stringify(problemOf("transaction-aborted"));
    backend.answer = ({ line }) => (line === 1 ? { status: 500, flags: ANSWER_FLAG.retryable, body } : undefined);
    const results = await resultLines(await batch(lines(2, 1), "?ordered=1"));
    expect(results.map(({ status }) => status)).toEqual([500, 200]);
    expect(backend.arrivals).toHaveLength(1);
  });

  it("does not pass on that nothing was done for a row that may have run before", async () => {
    const { batch, backend } = batchEdge();
    const body = JSON.stringify(problemOf("transaction-aborted"));
    backend.answer = ({ line }) => (line === 1 ? { status: 500, flags: ANSWER_FLAG.retryable, body } : undefined);
    backend.leave = (answer, { index }) => {
      if (index === 0) throw platformError("Network connection lost.", { retryable: true });
      return answer;
    };
    const results = await resultLines(await batch(lines(2, 1), "?ordered=1"));
    expect(results).toEqual([
      { line: 1, status: 504, problem: expect.objectContaining({ type: "/problems/deadline-exceeded" }) },
      expect.objectContaining({ line: 2, status: 200 }),
    ]);
  });

  it("sends no more after its deadline", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { batch, backend } = batchEdge();
    backend.map = initialMap(1);
    backend.arrive = () => void vi.setSystemTime(Date.now() + LIMITS.batchDeadlineMs + 1);
    const results = await resultLines(await batch(lines(2 * LIMITS.frameRows, 1)));
    expect(results.map(({ status }) => status)).toEqual([
      ...new Array<number>(LIMITS.frameRows).fill(200),
      ...new Array<number>(LIMITS.frameRows).fill(504),
    ]);
    expect(backend.arrivals).toHaveLength(1);
  });

  it("breaks the connection rather than ending short of a line", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { batch, backend } = batchEdge();
    const wrong = { line: 1, status: 200, flags: 0, body: "1", epoch: "" };
    backend.leave = () => encodeAnswers(backend.kernels(), [wrong, wrong]);
    const response = await batch(lines(2, 1), "?ordered=1");
    await expect(response.text()).rejects.toThrow();
    log.mockRestore();
  });
});

describe("a batch over moved key groups", () => {
  const groups = initialMap(4).groups;
  it("sends moved lines to where they are now, in order", async () => {
    const { batch, backend } = batchEdge();
    backend.trueMap = {
      version: 2,
      partitions: 4,
      groups: groups.map((partition, group) => (group % 2 ? (partition + 1) % 4 : partition)),
    };
    const results = await resultLines(await batch(lines(6_000, 50)));
    expect(results.filter(({ status }) => status === 200)).toHaveLength(6_000);
    expect(backend.refreshes).toBeGreaterThan(0);
    expectOrder(backend, 6_000);
  });

  it.each([
    ["are nowhere then", 98],
    ["find no room there", 1],
  ])(
    "does not say that nothing was done for lines that may have run before they moved, and %s",
    async (_name, owner) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
      const { batch, backend } = batchEdge();
      backend.map = initialMap(1);
      const body = JSON.stringify(problemOf("overloaded"));
      backend.answer = ({ partition }) => (partition === 1 ? { status: 503, flags: ANSWER_FLAG.retryable, body } : {});
      backend.arrive = ({ index, partition }) => {
        if (partition !== 0 || index > 0) return;
        backend.trueMap = { version: 2, partitions: 99, groups: groups.map(() => owner) };
        if (owner === 98) backend.refreshMap = () => undefined;
        throw platformError("Network connection lost.", { retryable: true });
      };
      const answered = resultLines(await batch(lines(20, 5)));
      await vi.advanceTimersByTimeAsync(60_000);
      const results = await answered;
      expect(results).toHaveLength(20);
      expect(new Set(results.map(({ problem }) => problem?.type))).toEqual(new Set(["/problems/deadline-exceeded"]));
    },
  );

  it("does not say that nothing was done for lines that may have run before nobody said where they are", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { batch, backend } = batchEdge();
    const lost = platformError("Network connection lost.", { retryable: true });
    backend.map = initialMap(1);
    backend.arrive = ({ index }) => {
      if (index > 0) return;
      backend.trueMap = { version: 2, partitions: 99, groups: groups.map(() => 98) };
      backend.refreshMap = () => void (backend.keyGroupMap = () => Promise.reject(lost));
      throw lost;
    };
    const answered = resultLines(await batch(lines(5, 5)));
    await vi.advanceTimersByTimeAsync(60_000);
    const results = await answered;
    expect(results.map(({ problem }) => problem?.detail)).toEqual(
      new Array(5).fill(expect.stringContaining("may have been executed")),
    );
  });

  it("tells of each part of moved lines what became of that part", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { batch, backend } = batchEdge();
    backend.map = initialMap(1);
    backend.trueMap = { version: 2, partitions: 4, groups: groups.map((_, group) => 1 + (group % 2)) };
    const body = JSON.stringify(problemOf("overloaded"));
    backend.answer = () => ({ status: 503, flags: ANSWER_FLAG.retryable, body });
    const first: number[] = [];
    backend.arrive = ({ partition, index }) => {
      if (partition === 0) return;
      first.push(partition);
      if (partition === first[0] && index === 0) throw platformError("Network connection lost.", { retryable: true });
    };
    const answered = resultLines(await batch(lines(20, 20)));
    await vi.advanceTimersByTimeAsync(60_000);
    const results = await answered;
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set([503, 504]));
  });

  it("gives up on lines whose group never settles, and runs the rest", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { batch, backend } = batchEdge();
    backend.trueMap = {
      version: 2,
      partitions: 99,
      groups: groups.map((partition) => (partition === 3 ? 98 : partition)),
    };
    backend.refreshMap = () => undefined;
    const times: number[] = [];
    backend.arrive = ({ partition }) => void (partition === 3 && times.push(Date.now()));
    const answered = resultLines(await batch(lines(500, 50)));
    await vi.advanceTimersByTimeAsync(60_000);
    const results = await answered;
    expect(results).toHaveLength(500);
    const moving = results.filter(({ problem }) => problem?.type === "/problems/overloaded");
    expect(moving.length).toBeGreaterThan(0);
    expect(times).toHaveLength(LIMITS.attempts);
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(LIMITS.retryMaxMs);
    expectOrder(backend, 500 - moving.length);
  });
});

describe("streaming of results", () => {
  const decoder = new TextDecoder();

  it("sends what is done while the rest still runs", async () => {
    const { batch, backend } = batchEdge();
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    backend.arrive = ({ partition }) => (partition === 0 ? gate : undefined);
    const response = await batch(lines(400, 50));
    const reader = response.body!.getReader();
    const first = await reader.read();
    expect(decoder.decode(first.value)).toContain('"status":200');
    release();
    let text = "";
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) text += decoder.decode(chunk.value);
    expect(text.endsWith("\n")).toBe(true);
  });

  it("keeps the order of the lines when asked to, whichever partition is fast", async () => {
    const { batch, backend } = batchEdge();
    backend.arrive = ({ partition }) => new Promise((resolve) => setTimeout(resolve, (3 - partition) * 3));
    const body = `\n${lines(5_000, 100)}\n{\n`;
    const results = await resultLines(await batch(body, "?ordered=1"));
    const expected = Array.from({ length: 5_000 }, (_, i) => i + 2);
    expect(results.map(({ line }) => line)).toEqual([...expected, 5_003]);
    expectOrder(backend, 5_000);
  });

  it("holds frames back while the reader does not read", async () => {
    const { batch, backend } = batchEdge();
    const input = "x".repeat(1_000);
    let body = "";
    for (let i = 0; i < 20_000; i++) body += `${invocation(`key-${i % 50}`, input)}\n`;
    const response = await batch(body);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const held = backend.arrivals.length;
    expect(held).toBeLessThan(20);
    const results = await resultLines(response);
    expect(results).toHaveLength(20_000);
    expect(backend.arrivals.length).toBeGreaterThan(held);
  });

  it("bounds what waits for its turn in an ordered batch, and still comes to its end", async () => {
    const { batch, backend } = batchEdge();
    const big = "y".repeat(LIMITS.orderedBufferChars / 1_000);
    backend.answer = () => ({ body: `"${big}"` });
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    // The partition of line 1 is slow; all others could run far ahead.
    const slow = backend.map.groups[backend.kernels().hashKey("key-7") & 1023];
    backend.arrive = ({ partition }) => (partition === slow ? gate : undefined);
    const answered = resultLines(await batch(lines(8_000, 100), "?ordered=1"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const rows = backend.executed.length;
    expect(rows).toBeGreaterThanOrEqual(1_000);
    expect(rows).toBeLessThanOrEqual(1_000 + 3 * LIMITS.frameRows);
    release();
    const results = await answered;
    expect(results.map(({ line }) => line)).toEqual(Array.from({ length: 8_000 }, (_, i) => i + 1));
  });

  it("sends no more frames when the reader goes away", async () => {
    const { batch, backend } = batchEdge();
    backend.arrive = () => new Promise((resolve) => setTimeout(resolve, 5));
    const response = await batch(lines(20_000, 50));
    await response.body!.cancel();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(backend.arrivals.length).toBeLessThanOrEqual(4);
  });
});
