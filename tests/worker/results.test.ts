import { describe, expect, it } from "vitest";
import type { RoutedFrame } from "../../core-wasm/types.ts";
import { Output } from "../../worker/batch/output.ts";
import { InputOrder } from "../../worker/batch/results.ts";
import { LIMITS } from "../../worker/limits.ts";

const frame = (): RoutedFrame => ({ partition: 0, rows: 1, bytes: new Uint8Array(0) });

/** Five lines of which the fourth is blank, and frames that begin with the third and the fifth. */
function order() {
  const output = new Output();
  const third = frame();
  const fifth = frame();
  const firsts = new Map([
    [third, 3],
    [fifth, 5],
  ]);
  return { output, third, fifth, results: new InputOrder(output, Uint8Array.of(0, 1, 1, 1, 0, 1), firsts) };
}

async function settled(promise: Promise<void>): Promise<boolean> {
  let done = false;
  void promise.then(() => (done = true));
  await new Promise((resolve) => setTimeout(resolve));
  return done;
}

describe("results in the order of their lines", () => {
  it("leave when all before them have left, blank lines not waited for", async () => {
    const { output, results } = order();
    for (const line of [5, 2, 3]) results.add(line, `${line} `);
    results.flush();
    results.add(1, "1 ");
    results.flush();
    output.close();
    expect(await new Response(output.stream).text()).toBe("1 2 3 5 ");
    expect(results.added).toBe(4);
  });

  it("hold back frames while too much waits, and let them go when it has left", async () => {
    const { output, fifth, results } = order();
    results.add(2, "x".repeat(LIMITS.orderedBufferChars));
    const room = results.room(fifth);
    expect(await settled(room)).toBe(false);
    results.add(1, "1 ");
    results.flush();
    void output.stream.pipeTo(new WritableStream());
    expect(await settled(room)).toBe(true);
  });

  it("never hold back the frame that the others wait for", async () => {
    const { third, fifth, results } = order();
    results.add(1, "1 ");
    results.add(2, "2 ");
    results.flush();
    results.add(5, "x".repeat(LIMITS.orderedBufferChars));
    expect(await settled(results.room(third))).toBe(true);
    expect(await settled(results.room(fifth))).toBe(false);
  });

  it("hold back nothing once nobody reads", async () => {
    const { output, fifth, results } = order();
    results.add(2, "x".repeat(LIMITS.orderedBufferChars));
    const room = results.room(fifth);
    await output.stream.cancel();
    expect(await settled(room)).toBe(true);
  });

  it("are refused for no line, and twice for one", () => {
    const { results } = order();
    results.add(1, "1");
    for (const line of [0, 1, 4, 6]) expect(() => results.add(line, "x")).toThrow("a result is for no line");
    results.flush();
    expect(() => results.add(1, "x")).toThrow("a result is for no line");
  });
});
