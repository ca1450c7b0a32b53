/** The edge sends the columns that flows read, and all of them to a partition that reads more. */
import { expect, onTestFinished, test, vi } from "vitest";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { decodeColumns } from "../../core-wasm/reference/columns.ts";
import { ANSWER_FLAG, encodeAnswers } from "../../protocol/wire/answer.ts";
import { defineApp, flow, int64, stream, text, timestamp } from "../../sdk/index.ts";
import { problemOf } from "../../sdk/problems.ts";
import { LIMITS } from "../../worker/limits.ts";
import { FakeBackend } from "./support/backend.ts";
import { edge, problemIn } from "./support/edge.ts";

const Taps = stream("taps", { card: text(), gate: int64(), note: text(), at: timestamp() });
const kernels = createReferenceKernels();

function tapsEdge() {
  const Out = stream("gates", { gate: int64() });
  const gates = flow("gates")
    .from(Taps, { time: "at" })
    .map(({ gate }) => ({ gate }))
    .toStream(Out);
  const app = defineApp({ services: [], flows: [gates] });
  const { backend, post } = edge(new FakeBackend(kernels), app);
  const send = (body: BodyInit, key?: string) =>
    post("/v1/streams/taps", body, {
      "content-type": "application/x-ndjson",
      ...(key === undefined ? {} : { "idempotency-key": `"${key}"` }),
    });
  const columns = () => backend.ingested.map(({ tail }) => decodeColumns(tail).columns.length);
  return { backend, send, columns };
}

const tap = (gate: unknown, note: unknown = "n") => JSON.stringify({ card: "c", gate, note, at: 1_000 });

/** Fails batches with less than all columns as a partition does that reads more, with nothing done. */
function failPartial(backend: FakeBackend, failed: string[]): void {
  backend.leave = (answer) => {
    const last = backend.ingested.at(-1);
    if (last === undefined || decodeColumns(last.tail).columns.length === 4) return answer;
    backend.ingested.pop();
    failed.push(last.requestId);
    return encodeAnswers(kernels, [{ line: 1, status: 500, flags: 0, body: '{"status":500}', epoch: "" }]);
  };
}

test("columns that no flow reads stay at the edge, and are checked all the same", async () => {
  const { backend, send } = tapsEdge();
  expect((await send(`${tap(1)}\n${tap(2)}`, "one")).status).toBe(200);
  const { rows, columns } = decodeColumns(backend.ingested[0]!.tail);
  expect(rows).toBe(2);
  expect(columns.map(({ cells }) => cells)).toEqual([
    [1n, 2n],
    [1_000n, 1_000n],
  ]);
  expect(await problemIn(await send(tap(1, 7), "two"))).toMatchObject({
    status: 422,
    field: "note",
    code: "wrong-type",
  });
  expect(backend.ingested).toHaveLength(1);
});

test.each([
  ["the client's", "one"],
  ["the edge's", undefined],
])("a partition that reads more is sent all of it under the same id, %s, from then on at once", async (_whose, key) => {
  const { backend, send, columns } = tapsEdge();
  const failed: string[] = [];
  failPartial(backend, failed);
  expect((await send(tap(1), key)).status).toBe(200);
  expect(failed).toEqual(backend.ingested.map(({ requestId }) => requestId));
  expect((await send(tap(2))).status).toBe(200);
  expect(columns()).toEqual([4, 4]);
  expect(failed).toHaveLength(1);
});

test("a batch of which nobody knows what became is not said to be untouched when there is no room for all of it", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const { backend, send } = tapsEdge();
  const body = JSON.stringify(problemOf("overloaded", "nothing was done"));
  backend.leave = (_answer, { index }) => {
    if (index > 0)
      return encodeAnswers(kernels, [{ line: 1, status: 503, flags: ANSWER_FLAG.retryable, body, epoch: "" }]);
    throw new Error("internal error; reference = abc");
  };
  const answered = send(tap(1));
  await vi.advanceTimersByTimeAsync(60_000);
  expect((await answered).status).toBe(504);
  expect(backend.ingested).toHaveLength(1);
  log.mockRestore();
});

test("a batch that fails either way is answered so, and changes nothing", async () => {
  const { backend, send, columns } = tapsEdge();
  let failing = true;
  backend.leave = (answer) => {
    if (!failing) return answer;
    backend.ingested.pop();
    return encodeAnswers(kernels, [{ line: 1, status: 500, flags: 0, body: '{"status":500}', epoch: "" }]);
  };
  expect((await send(tap(1), "one")).status).toBe(500);
  expect(backend.arrivals).toHaveLength(2);
  failing = false;
  expect((await send(tap(1), "one")).status).toBe(200);
  expect(columns()).toEqual([2]);
});

test("a long body goes whole", async () => {
  const { send, columns } = tapsEdge();
  const line = tap(1, "n".repeat(100_000));
  const lines = Math.ceil(LIMITS.projectedBodyBytes / line.length) + 1;
  expect((await send(`${line}\n`.repeat(lines), "long")).status).toBe(200);
  expect(columns()).toEqual([4]);
}, 60_000);
