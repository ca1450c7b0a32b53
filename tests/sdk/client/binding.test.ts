/** A client over a service binding whose answers go on: nobody waits for them after the signal, or after a silence. */
import { describe, expect, test } from "vitest";
import { type Binding, createClient } from "../../../sdk/client/index.ts";

/** Answers with what has begun and does not end. @param chunks come every 20 ms */
function streaming(chunk: string | null): { readonly binding: Binding; cancelled: number; asked: number } {
  const state = { binding: undefined as unknown as Binding, cancelled: 0, asked: 0 };
  state.binding = {
    ask: () => {
      state.asked += 1;
      let timer: ReturnType<typeof setInterval>;
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          timer = setInterval(() => {
            if (chunk !== null) controller.enqueue(new TextEncoder().encode(chunk));
          }, 20);
        },
        cancel() {
          clearInterval(timer);
          state.cancelled += 1;
        },
      });
      return Promise.resolve(new Response(body));
    },
  };
  return state;
}

async function outcome(run: Promise<unknown>, ms = 1_500): Promise<string> {
  const late = new Promise<string>((resolve) => setTimeout(() => resolve("still waiting"), ms));
  return Promise.race([
    run.then(
      () => "ended",
      (error: unknown) => (error as Error).name,
    ),
    late,
  ]);
}

async function drain(source: AsyncIterable<unknown>): Promise<void> {
  for await (const one of source) void one;
}

describe("over a binding", () => {
  test.each([null, ":\n\n"])("the signal ends a stream that says %j", async (chunk) => {
    const state = streaming(chunk);
    const client = createClient(state.binding, {}, { timeoutMs: 10_000 });
    const signal = AbortSignal.timeout(100);
    expect(await outcome(drain(client.stream("s").read({ signal })))).toBe("TimeoutError");
    expect(state.cancelled).toBe(1);
  });

  test("the signal ends a batch whose results do not come", async () => {
    const state = streaming(null);
    const client = createClient(state.binding, {}, { timeoutMs: 10_000 });
    const signal = AbortSignal.timeout(100);
    expect(await outcome(drain(client.batch([{}] as never, { signal })))).toBe("TimeoutError");
  });

  test("a silence is a lost connection", async () => {
    const state = streaming(null);
    const client = createClient(state.binding, {}, { timeoutMs: 50, retries: 1 });
    expect(await outcome(drain(client.stream("s").read()))).toBe("UnreachableError");
    expect(state.asked).toBe(2);
  });
});
