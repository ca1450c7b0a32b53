/** `tidegate/testing/worker`: the app in real workerd, for tests that run with Cloudflare's plugin for Vitest. */
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { murmur3 } from "../core-wasm/reference/murmur3.ts";
import { type KeyGroupMap, partitionOfHash } from "../protocol/keygroups/map.ts";
import { type Client, type ClientOptions, createClient } from "../sdk/client/index.ts";
import type { Contracts } from "../sdk/client/types.ts";
import { type Duration, milliseconds } from "../sdk/duration.ts";
import type { Status } from "../sim/checkers/leaks.ts";
import { acceptedIn, type Crashed, eventLines, requestTo, TEST_ORIGIN, type TestDomain } from "./domain.ts";
import { CRASH_REAL_MS, DRAIN_REAL_MS, LOOK_REAL_MS } from "./limits.ts";
import { shiftClock } from "./shifted-clock.ts";
import { underWay } from "./under-way.ts";

export type { Crashed, TestDomain } from "./domain.ts";

type Stub<T> = DurableObjectStub & T;
type PartitionStub = Stub<{ status(): Promise<unknown> }>;
type CoordinatorStub = Stub<{ status(): Promise<unknown>; keyGroupMap(): Promise<KeyGroupMap> }>;
interface Exports {
  readonly default?: { fetch(url: string, init?: RequestInit): Promise<Response> };
  readonly Partition?: { getByName(name: string): PartitionStub };
  readonly Coordinator?: { getByName(name: string): CoordinatorStub };
}

/** Aborts for this reason are not printed by the plugin once for each request that they break. */
const REASON = "Instance dispose";

/**
 * The domain of the Worker that wrangler.jsonc names as `main`.
 *
 * ```ts
 * const domain = testWorker();
 * const client = domain.client({ Account });
 * expect(await client.account("alice").deposit({ amount: 5 })).toBe(5);
 * await domain.crash("everything");
 * ```
 *
 * The token is the binding `TIDEGATE_TOKEN`, which the configuration of Vitest sets.
 * @throws Error when the Worker exports no Tidegate app, or there is no token
 */
export function testWorker(): TestDomain {
  const { Partition, Coordinator, default: handler } = exports as unknown as Exports;
  if (!Partition || !Coordinator || !handler)
    throw new Error('the Worker under test must export "Partition", "Coordinator" and the app\'s handler as default');
  const token = (env as { TIDEGATE_TOKEN?: string }).TIDEGATE_TOKEN;
  if (!token)
    throw new Error(
      'there is no token: give cloudflareTest({ miniflare: { bindings: { TIDEGATE_TOKEN: "test-token" } } }) in vitest.config.ts',
    );
  return new WorkerDomain(Partition, Coordinator, handler, token);
}

class WorkerDomain implements TestDomain {
  readonly #partitions: Required<Exports>["Partition"];
  readonly #coordinators: Required<Exports>["Coordinator"];
  readonly #handler: Required<Exports>["default"];
  readonly #token: string;

  constructor(
    partitions: Required<Exports>["Partition"],
    coordinators: Required<Exports>["Coordinator"],
    handler: Required<Exports>["default"],
    token: string,
  ) {
    this.#partitions = partitions;
    this.#coordinators = coordinators;
    this.#handler = handler;
    this.#token = token;
  }

  client<const C extends Contracts>(contracts: C, options: ClientOptions = {}): Client<C> {
    const doFetch = (url: string, init: RequestInit) => this.fetch(url, init);
    return createClient(TEST_ORIGIN, contracts, { token: this.#token, fetch: doFetch, ...options });
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return this.#handler.fetch(...requestTo(path, init, this.#token));
  }

  async ingest(stream: string, events: readonly object[]): Promise<number> {
    const headers = { "content-type": "application/x-ndjson" };
    return acceptedIn(await this.fetch(`/v1/streams/${stream}`, { method: "POST", headers, body: eventLines(events) }));
  }

  async advance(duration: Duration): Promise<void> {
    shiftClock(milliseconds(duration, "advance"));
    // What is due rings now: the platform's own alarms go by its own clock.
    for (const stub of await this.#stubs()) {
      await runInDurableObject(stub, async (instance: DurableObject) => {
        await instance.alarm?.({ isRetry: false, retryCount: 0, scheduledTime: Date.now() });
      });
    }
  }

  async crash(what: Crashed = "everything"): Promise<void> {
    if (what === "everything") return abortAllDurableObjects();
    const number = typeof what === "object" ? await this.partitionOf(what.key) : what;
    // A stub is of no use any more when a call of it has failed.
    const stub = () => (number === "coordinator" ? this.#coordinator : this.#partition(number));
    let before: unknown;
    // It is this call that fails of it.
    await runInDurableObject(stub(), (instance: DurableObject, state: DurableObjectState) => {
      before = instance;
      state.abort(REASON);
    }).catch(() => undefined);
    // The platform takes a moment to replace it, and until then it would answer.
    const deadline = performance.now() + CRASH_REAL_MS;
    for (let after = before; after === before; await sleep(LOOK_REAL_MS)) {
      if (performance.now() > deadline) throw new Error("the object is not replaced");
      await runInDurableObject(stub(), (instance: DurableObject) => void (after = instance)).catch(() => undefined);
    }
  }

  async drained(): Promise<void> {
    const deadline = performance.now() + DRAIN_REAL_MS;
    // Twice: what is to be done next may be nothing that is counted.
    for (let rests = 0; rests < 2;) {
      await sleep(LOOK_REAL_MS);
      const left = await this.#left();
      rests = left.length === 0 ? rests + 1 : 0;
      if (performance.now() > deadline) throw new Error(`it does not come to rest: ${left.join("; ")}`);
    }
  }

  async partitionOf(key: string): Promise<number> {
    return partitionOfHash(await this.#coordinator.keyGroupMap(), murmur3(key));
  }

  get #coordinator(): CoordinatorStub {
    return this.#coordinators.getByName("coordinator");
  }

  #partition(number: number): PartitionStub {
    return this.#partitions.getByName(`partition-${number}`);
  }

  async #stubs(): Promise<PartitionStub[]> {
    const { groups } = await this.#coordinator.keyGroupMap();
    return [...new Set(groups)].map((number) => this.#partition(number));
  }

  async #left(): Promise<string[]> {
    const statuses = await Promise.all(
      (await this.#stubs()).map(async (stub) => [String(stub.name), (await stub.status()) as Status] as const),
    );
    return underWay(Object.fromEntries(statuses));
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
