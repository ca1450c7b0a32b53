/** An app in the simulator: its own services and flows on the real engine and the real edge, with simulated objects, network, disks and time. */
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { partitionOfHash } from "../../protocol/keygroups/map.ts";
import { COORDINATOR } from "../../protocol/wire/messages.ts";
import { type AppDefinition, type AppOptions, defineApp } from "../../sdk/app.ts";
import { type Client, type ClientOptions, createClient } from "../../sdk/client/index.ts";
import type { Contracts } from "../../sdk/client/types.ts";
import { type Duration, milliseconds } from "../../sdk/duration.ts";
import type { Status } from "../../sim/checkers/leaks.ts";
import { createRandom, type Random, uuidFrom } from "../../sim/random.ts";
import { deriveSeed } from "../../sim/seeds.ts";
import { CoordinatorObject } from "../../sim/world/coordinator-object.ts";
import { EPOCH_MS, type SimObject } from "../../sim/world/object.ts";
import type { PartitionInstance } from "../../sim/world/partition-instance.ts";
import { World } from "../../sim/world/world.ts";
import { type Backend, ConfigurationError } from "../../worker/backend.ts";
import { createRoutes } from "../../worker/routes.ts";
import { acceptedIn, type Crashed, eventLines, requestTo, TEST_ORIGIN, type TestDomain } from "../domain.ts";
import { DRAIN_MS, LOOK_MS, PARTITIONS_MOST } from "../limits.ts";
import { underWay } from "../under-way.ts";
import { effectRunner } from "./effects.ts";
import { keepFailing, profileFor } from "./faults.ts";
import { guardGlobals } from "./guard.ts";
import { equip, type Log, toConsole } from "./host.ts";
import { simulatedPort } from "./port.ts";
import { Pump } from "./pump.ts";

export interface TestAppOptions extends AppOptions {
  /** Everything by chance follows from it. Default 1. */
  readonly seed?: number;
  /**
   * Objects crash, messages are lost, late or doubled, disks are slow: as often as in the simulator's own runs, and drawn from the seed.
   * Default: nothing goes wrong but what the test makes go wrong.
   */
  readonly faults?: boolean;
  /** What effects find in `ctx.env`. Of the app's own bindings `TIDEGATE_KEYS` counts: the static keys, for tests of who may call. */
  readonly env?: object;
  /**
   * Told of what functions throw and callers are not shown: `internal-error` to them, and here the error itself, as the log of the Worker has
   * it. Default: the console.
   */
  readonly log?: TestLog;
}
export type TestLog = Log;

export interface TestApp extends TestDomain {
  /** Milliseconds since 1970, as functions see them by `ctx.now()`. It moves while something is awaited, and by `advance`. */
  now(): number;
  /** What has gone wrong so far, by kind: for tests that want to be sure that something has. */
  readonly faults: ReadonlyMap<string, number>;
}

const TOKEN = "test-token";
const core = loadCore();
/** The kernels have the same one in each run, too. */
const SEED = [1, 2, 3, 4];

/**
 * Runs an app in this process, with no server: requests go through the real routes to the real partitions and coordinator, and all
 * around these is simulated. Time stands still unless the test waits for something.
 *
 * ```ts
 * const app = testApp({ services: [account], seed: 7, faults: true });
 * const client = app.client({ Account });
 * await client.account("alice").deposit({ amount: 5 });
 * await app.crash("everything");
 * await app.drained();
 * ```
 *
 * Functions may await calls and what they have computed; one that awaits anything else, such as `crypto.subtle`, is not waited for. Global
 * `fetch` and timers throw in them, as they do in workerd.
 * @throws TidegateError `misconfigured` for definitions that cannot work together
 */
export function testApp(options: TestAppOptions): TestApp {
  return new SimulatedApp(defineApp(options), options);
}

class SimulatedApp implements TestApp {
  readonly #world: World;
  readonly #pump: Pump;
  readonly #random: Random;
  readonly #kernels = createKernels(core, SEED);
  readonly #routes: ReturnType<typeof createRoutes>;
  /** Whose domain this is, once somebody has been there; of apps that have tenants. */
  #tenant: string | undefined;

  constructor(app: AppDefinition, { seed = 1, faults = false, env = {}, log = toConsole }: TestAppOptions) {
    guardGlobals();
    this.#random = createRandom(deriveSeed(seed, 4));
    const kernels = createKernels(core, SEED);
    const world: World = new World({
      seed,
      app,
      kernels,
      partitions: app.partitions,
      most: Math.max(app.partitions, PARTITIONS_MOST),
      profile: profileFor(seed, faults),
      runOutside: effectRunner(
        app,
        env,
        () => this.#world,
        (work) => this.#pump.hold(work),
      ),
      coordinator: (one) => new CoordinatorObject(one, kernels, app.partitions) as unknown as SimObject<unknown>,
      observer: {
        // Any turn may have called a function, and what that awaits must have settled before the next.
        started(instance) {
          instance.functions += 1;
          equip(instance, log);
        },
        boundary: ({ object }) => (world.calm ? undefined : boundaries?.next(object.number)),
      },
    });
    const boundaries = faults ? keepFailing(world, app.partitions) : undefined;
    world.calm = !faults;
    this.#world = world;
    this.#pump = new Pump(world);
    const { TIDEGATE_KEYS: keys } = env as { readonly TIDEGATE_KEYS?: string };
    const inDomain = (tenant: string): Backend => {
      this.#checkTenant(tenant);
      return backend;
    };
    const backend: Backend = { ...this.#surroundings, keys, inDomain };
    this.#routes = createRoutes(app, () => backend);
    for (const object of [...world.partitions.slice(0, app.partitions), this.#coordinator])
      world.scheduler.in(this.#random.next(), () => void (object as SimObject<unknown>).boot());
  }

  /** What is simulated is one domain: that of the tenant that is named first. Others must not find its data. @throws ConfigurationError */
  #checkTenant(tenant: string): void {
    this.#tenant ??= tenant;
    if (tenant === this.#tenant) return;
    const [theirs, ours] = [tenant, this.#tenant].map((name) => (name === "" ? "no tenant" : JSON.stringify(name)));
    const detail = `a testApp has one domain, and this one is that of ${ours}: make another testApp for ${theirs}, or use testWorker`;
    throw new ConfigurationError("misconfigured", detail);
  }

  get faults(): ReadonlyMap<string, number> {
    return this.#world.faults;
  }

  now(): number {
    return EPOCH_MS + Math.floor(this.#world.scheduler.now);
  }

  client<const C extends Contracts>(contracts: C, options: ClientOptions = {}): Client<C> {
    return createClient(TEST_ORIGIN, contracts, {
      token: TOKEN,
      fetch: (url, init) => this.fetch(url, init),
      ...options,
    });
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return this.#routes.fetch(new Request(...requestTo(path, init, TOKEN)));
  }

  async ingest(stream: string, events: readonly object[]): Promise<number> {
    const headers = { "content-type": "application/x-ndjson" };
    return acceptedIn(await this.fetch(`/v1/streams/${stream}`, { method: "POST", headers, body: eventLines(events) }));
  }

  async advance(duration: Duration): Promise<void> {
    const ms = milliseconds(duration, "advance");
    await this.#pump.wait<void>((come) => this.#world.scheduler.in(ms, () => come()));
  }

  async crash(what: Crashed = "everything"): Promise<void> {
    for (const object of this.#named(what)) {
      object.crash({ keep: "some", zombie: false, bootMs: 1, kind: "crash by the test" });
    }
    await this.advance(1);
  }

  async drained(): Promise<void> {
    const world = this.#world;
    const wasCalm = world.calm;
    world.calmDown();
    try {
      const deadline = world.scheduler.now + DRAIN_MS;
      // Twice: what is to be done next may be nothing that is counted.
      for (let rests = 0; rests < 2;) {
        await this.#bootOne();
        await this.advance(LOOK_MS);
        const left = this.#left();
        rests = left.length === 0 ? rests + 1 : 0;
        if (world.scheduler.now > deadline) throw new Error(`it does not come to rest: ${left.join("; ")}`);
      }
    } finally {
      world.calm = wasCalm;
    }
  }

  async partitionOf(key: string): Promise<number> {
    return partitionOfHash(this.#coordinator.map, this.#kernels.hashKey(key));
  }

  /** An object that is down tells nothing of itself. One at a time, since an event is about one instance. */
  async #bootOne(): Promise<void> {
    const down = this.#world.objects.find(({ current, isNew }) => !isNew && current === null);
    if (down) await this.#pump.wait<void>((come) => this.#world.scheduler.in(0, () => come(void down.boot())));
  }

  get #coordinator(): CoordinatorObject {
    return this.#world.coordinator as unknown as CoordinatorObject;
  }

  #named(what: Crashed): ReadonlyArray<SimObject<unknown>> {
    if (what === "everything") return this.#world.objects;
    if (what === "coordinator") return [this.#world.objectOf(COORDINATOR)];
    const number =
      typeof what === "number" ? what : partitionOfHash(this.#coordinator.map, this.#kernels.hashKey(what.key));
    if (this.#world.partitions[number] === undefined) throw new RangeError(`there is no partition ${number}`);
    return [this.#world.objectOf(number)];
  }

  /** What is still under way, in words. */
  #left(): string[] {
    const up = this.#world.objects.filter(({ isNew }) => !isNew);
    const down = up.filter(({ current }) => current?.gate.isClean !== true).map(({ name }) => `${name} is busy`);
    const statuses = up.flatMap(({ name, current }) =>
      current ? [[name, (current as PartitionInstance).status as unknown as Status] as const] : [],
    );
    return [...down, ...underWay(Object.fromEntries(statuses))];
  }

  readonly #surroundings: Omit<Backend, "keys" | "inDomain"> = {
    partition: (index) => simulatedPort(this.#world, this.#pump, index),
    keyGroupMap: async () => this.#coordinator.map,
    refreshMap: () => undefined,
    rescale: async (partitions) => {
      if (partitions > this.#world.partitions.length)
        throw new RangeError(`a simulated domain has at most ${this.#world.partitions.length} partitions`);
      this.#coordinator.rescale(partitions);
      await this.advance(1);
      return this.#rescaleStatus();
    },
    rescaleStatus: async () => this.#rescaleStatus(),
    kernels: () => this.#kernels,
    token: TOKEN,
    now: () => this.now(),
    uuid: () => uuidFrom(this.#random),
  };

  #rescaleStatus() {
    const status = this.#coordinator.current?.machine.rescaleStatus;
    if (status === undefined || status === null) throw new Error("network connection lost: the coordinator is down");
    return status;
  }
}
