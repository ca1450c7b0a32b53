/** Sessions between objects, with the platform played by the test: what becomes of calls when the object at the other end is not there any more. */
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";

/** One that a session was opened to: what it does with a call. */
type Instance = (bytes: Uint8Array) => Promise<number>;

const platform = vi.hoisted(() => ({
  /** Where a session that is opened now leads. */
  current: (() => Promise.resolve(1)) as Instance,
  opened: 0,
  disposed: 0,
}));

vi.mock("cloudflare:workers", () => {
  const getByName = () => ({
    peerSession() {
      platform.opened += 1;
      const deliver = platform.current;
      const dispose = () => void (platform.disposed += 1);
      const target = { deliver, [Symbol.dispose]: dispose };
      return Object.assign(Promise.resolve(target), { deliver });
    },
  });
  return { RpcTarget: Object, exports: { Partition: { getByName }, Coordinator: { getByName } } };
});

// Sessions take the platform's timers when they are loaded.
vi.useFakeTimers();
const { Peers } = await import("../../durable/peers.ts");
const { Usage } = await import("../../durable/usage.ts");
const BATCH = new Uint8Array(1);
const ALONE = { from: 1, receipts: [] };
const never: Instance = () => new Promise(() => undefined);

beforeEach(() => void Object.assign(platform, { opened: 0, disposed: 0 }));
afterAll(() => void vi.useRealTimers());

describe("a session", () => {
  test("is closed when it is not used", async () => {
    const peers = new Peers(new Usage(), { tenant: "", placement: undefined });
    platform.current = () => Promise.resolve(1);
    await peers.deliver(0, BATCH, ALONE);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(platform).toMatchObject({ opened: 1, disposed: 1 });
  });

  test("is closed when it is not used, also where the clock is set back", async () => {
    const peers = new Peers(new Usage(), { tenant: "", placement: undefined });
    platform.current = () => Promise.resolve(1);
    await peers.deliver(0, BATCH, ALONE);
    vi.setSystemTime(Date.now() - 60 * 60 * 1_000);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(platform).toMatchObject({ opened: 1, disposed: 1 });
  });

  test("that swallows a call is not used for its repetition", async () => {
    const peers = new Peers(new Usage(), { tenant: "", placement: undefined });
    // The object's machine has vanished; nothing tells the caller.
    platform.current = never;
    void peers.deliver(0, BATCH, ALONE);
    vi.setSystemTime(Date.now() + LIMITS.replyMs);
    // The object runs elsewhere, and the batch is sent again (C7).
    platform.current = () => Promise.resolve(2);
    const repeated = await Promise.race([peers.deliver(0, BATCH, ALONE), Promise.resolve().then(waitSome)]);
    expect(repeated).toBe(2);
  });

  test("leads no longer to an instance that was replaced, however often it is used", async () => {
    const peers = new Peers(new Usage(), { tenant: "", placement: undefined });
    platform.current = () => Promise.resolve(1);
    expect(await peers.deliver(0, BATCH, ALONE)).toBe(1);
    // Another instance has taken its place; the one before lives on and answers.
    platform.current = () => Promise.resolve(2);
    const answers: unknown[] = [];
    for (let ms = 0; ms < 30_000; ms += LIMITS.probeMs / 2) {
      await vi.advanceTimersByTimeAsync(LIMITS.probeMs / 2);
      answers.push(await peers.deliver(0, BATCH, ALONE));
    }
    expect(answers.at(-1)).toBe(2);
  });
});

async function waitSome(): Promise<string> {
  for (let step = 0; step < 20; step++) await Promise.resolve();
  return "swallowed again";
}
