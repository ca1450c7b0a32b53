/** Bodies that take their time: it is not missing when the answer is waited for, and what is made of a body is as young as that is. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../worker/limits.ts";
import { LIMITS as PARTITION } from "../../protocol/limits.ts";
import { edge, problemIn, resultLines } from "./support/edge.ts";

const DEPOSIT = "/v1/services/account/alice/deposit";
const SALE = `{"item":"a","amount":1,"price":2.5,"at":${Date.UTC(2026, 0, 1)}}`;
const LINE = `{"service":"account","key":"alice","function":"deposit","input":{"amount":1}}`;
/** Longer than anything is waited for, and longer than an edge's id is good. */
const UPLOAD_MS = PARTITION.edgeResultMs + LIMITS.batchDeadlineMs;

/** An edge whose clock stands still but while a body comes; its partitions take a moment. */
function slowEdge() {
  const surroundings = edge();
  const { backend } = surroundings;
  const began = Date.now();
  let now = began;
  backend.now = () => now;
  backend.arrive = () => sleep(5);
  const slow = (text: string) =>
    new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
      pull(controller) {
        now = began + UPLOAD_MS;
        controller.close();
      },
    });
  return { ...surroundings, slow };
}

/** When an id was made by an edge; ms since 1970. */
function madeAt(requestId: string | undefined): number {
  return Number.parseInt((requestId ?? "").slice(1, 12), 16);
}

describe("a body that comes slowly", () => {
  it("of a call leaves it all of its time", async () => {
    const { post, slow, backend } = slowEdge();
    expect((await post(DEPOSIT, slow('{"amount":1}'))).status).toBe(200);
    expect((await post(DEPOSIT, slow('{"amount":1}'), { "idempotency-key": '"k"' })).status).toBe(200);
    expect(madeAt(backend.executed[0]?.requestId)).toBe(backend.now());
  });

  it("of events leaves them all of their time", async () => {
    const { post, slow, backend } = slowEdge();
    const response = await post("/v1/streams/sales", slow(`${SALE}\n`), { "content-type": "application/x-ndjson" });
    expect(response.status).toBe(200);
    expect(madeAt(backend.ingested[0]?.requestId)).toBe(backend.now());
  });

  it("of a batch leaves its lines all of their time", async () => {
    const { post, slow, backend } = slowEdge();
    const response = await post("/v1/batch", slow(`${LINE}\n${LINE}\n`), { "content-type": "application/x-ndjson" });
    expect((await resultLines(response)).map(({ status }) => status)).toEqual([200, 200]);
    expect(madeAt(backend.executed[0]?.requestId)).toBe(backend.now());
  });
});

describe("a body that breaks off", () => {
  it.each([DEPOSIT, "/v1/batch", "/v1/streams/sales"])("of %s is nobody's failure but its sender's", async (path) => {
    const { post, backend } = edge();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"amount":1}')),
      // As the platform says it.
      pull: (controller) => controller.error(Object.assign(new Error("Network connection lost."), { retryable: true })),
    });
    const type = path === DEPOSIT ? "application/json" : "application/x-ndjson";
    const response = await post(path, body, { "content-type": type });
    expect(response.status).toBe(400);
    expect((await problemIn(response)).type).toBe("/problems/body-incomplete");
    expect(backend.arrivals).toHaveLength(0);
  });
});
