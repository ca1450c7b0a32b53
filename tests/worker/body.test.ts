import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../worker/limits.ts";
import { readBody } from "../../worker/body.ts";
import { edge, problemIn } from "./support/edge.ts";

const DEPOSIT = "/v1/services/account/alice/deposit";

/** A body that comes in pieces, without a declared length, and counts what is taken. */
function stream(chunk: number, chunks: number) {
  const state = { pulled: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (state.pulled === chunks) return controller.close();
        state.pulled++;
        controller.enqueue(new Uint8Array(chunk).fill(0x20));
      },
      cancel: () => void (state.cancelled = true),
    },
    { highWaterMark: 0 },
  );
  return { body, state };
}

describe("body limits", () => {
  it.each([
    [DEPOSIT, LIMITS.callBodyBytes, "application/json"],
    ["/v1/batch", LIMITS.batchBodyBytes, "application/x-ndjson"],
    ["/v1/streams/sales", LIMITS.ingestBodyBytes, "application/x-ndjson"],
  ])("stops reading a body for %s beyond its limit", async (path, limit, type) => {
    const { post, backend } = edge();
    const { body, state } = stream(64 * 1024, limit / (64 * 1024) + 100);
    const response = await post(path, body, { "content-type": type });
    expect(response.status).toBe(413);
    expect(await problemIn(response)).toMatchObject({ type: "/problems/body-too-large", limit });
    expect(state.cancelled).toBe(true);
    expect(state.pulled).toBe(limit / (64 * 1024) + 1);
    expect(backend.arrivals).toHaveLength(0);
  });

  it("believes a declared length that is too large without reading", async () => {
    const { post } = edge();
    const { body, state } = stream(10, 10);
    const response = await post(DEPOSIT, body, { "content-length": String(LIMITS.callBodyBytes + 1) });
    expect(response.status).toBe(413);
    expect(state.pulled).toBe(0);
  });

  it("does not believe a declared length that is too small", async () => {
    const { post } = edge();
    const { body } = stream(64 * 1024, 20);
    expect((await post(DEPOSIT, body, { "content-length": "5" })).status).toBe(413);
  });

  it("takes a body of exactly the limit, in one piece or many", async () => {
    const { post } = edge();
    const text = `"${"x".repeat(LIMITS.callBodyBytes - 2)}"`;
    expect((await post(DEPOSIT, text)).status).toBe(200);
    expect((await post(DEPOSIT, text, { "content-length": String(text.length) })).status).toBe(200);
    expect((await post(DEPOSIT, `${text} `)).status).toBe(413);
  });

  it("does not keep the buffers that pieces come in", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const pieces = 20_000;
    const most = 1024 * 1024;
    let pulled = 0;
    let heldBefore = 0;
    let held = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (pulled === 0) collect();
          if (pulled === 0) heldBefore = process.memoryUsage().arrayBuffers;
          if (pulled++ < pieces) return controller.enqueue(new Uint8Array(4096).fill(0x20).subarray(0, 1));
          // Buffers are swept beside the collection, on a busy machine some time later.
          for (let tries = 0; tries < 100; tries++) {
            collect();
            held = process.memoryUsage().arrayBuffers - heldBefore;
            if (held < most) break;
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const init = { method: "POST", body, duplex: "half" };
    const read = await readBody(new Request("https://x.example", init), LIMITS.callBodyBytes);
    expect([read.length, read.buffer.byteLength]).toEqual([pieces, pieces]);
    // As many bytes as pieces, and not as many buffers.
    expect(held).toBeLessThan(most);
  });

  it("joins the pieces of a body in order", async () => {
    const pieces = ["one ", "", "two ", "three"].map((text) => new TextEncoder().encode(text));
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    const init = { method: "POST", body, duplex: "half" };
    expect(new TextDecoder().decode(await readBody(new Request("https://x.example", init), 100))).toBe("one two three");
  });
});
