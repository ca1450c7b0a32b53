/** One run of a plan: clients and faults until everything is answered, then calm until everything has drained, then the verdict. */
import { createKernels } from "../core-wasm/facade/kernels.ts";
import { loadCore } from "../core-wasm/load-node.ts";
import type { Kernels } from "../core-wasm/types.ts";
import { type AppDefinition, defineApp } from "../sdk/index.ts";
import { findLeaks, type Status } from "./checkers/leaks.ts";
import { bankService } from "./clients/bank-service.ts";
import { Client, type ClientSetup } from "./clients/client.ts";
import { Ledger } from "./clients/ledger.ts";
import { clockService } from "./clients/clock-service.ts";
import { deed, fare, outsideServices, trip } from "./clients/outside-service.ts";
import { FAILS_MS } from "./clients/clocks.ts";
import { listServices } from "./clients/list-services.ts";
import { counterService, simulatedFlows } from "./flows/app.ts";
import { DurableLog } from "./durable-log.ts";
import { Coverage } from "./coverage.ts";
import { Aims } from "./faults/aims.ts";
import { Boundaries, schedulePlanned } from "./faults/planned.ts";
import { profileOf } from "./faults/rates.ts";
import { type Final, readFinal, differences } from "./final.ts";
import { initialMap } from "../protocol/keygroups/map.ts";
import { NEWEST_FORMAT, type PeerFormat } from "../protocol/wire/codec.ts";
import { Operator } from "./operator.ts";
import { createRandom } from "./random.ts";
import { deriveSeed } from "./seeds.ts";
import { mostPartitions, mostSkewMs, type Plan } from "./plan.ts";
import { type CoordinatorInstance, CoordinatorObject } from "./world/coordinator-object.ts";
import { kindsOf } from "./world/kinds.ts";
import type { SimObject } from "./world/object.ts";
import type { PartitionInstance } from "./world/partition-instance.ts";
import { both, type Observer } from "./world/observer.ts";
import type { Profile } from "./world/profile.ts";
import { World } from "./world/world.ts";
import { judge } from "./verdict.ts";

export interface RunOptions {
  readonly kernels: Kernels;
  /** Keeps the lines of the trace. */
  readonly show?: boolean;
  /** In the place of what the plan's rates make. */
  readonly profile?: Profile;
  /** Sees what happens, and may let instances crash. */
  readonly observer?: Observer;
  /** ms from the last answer until faults end. */
  readonly lingerMs?: number;
}

export interface Report {
  readonly seed: number;
  /** What was found wrong; empty when all is well. */
  readonly failures: readonly string[];
  readonly notes: readonly string[];
  readonly transactions: number;
  /** By status of the answer. */
  readonly answers: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
  readonly coverage: ReadonlyMap<string, number>;
  /** The same for every run of the plan. */
  readonly hash: string;
  readonly simulatedMs: number;
  readonly events: number;
  readonly messages: number;
  /** Batches of a later version than the first. */
  readonly newer: number;
  readonly lines: readonly string[];
}

/** Faults stop at the latest then, in ms. */
const FAULTS_MS = 6_000;
/** How long clients may wait, and things may take to drain, once they have stopped. */
/** Later than this no message comes. */
const LATE_MS = 3_000;
const PATIENCE_MS = 120_000;

export function runPlan(plan: Plan, options: RunOptions): Promise<Report> {
  return new Run(plan, options).run();
}

const apps = new Map<string, AppDefinition>();
/** State with a time to live makes every partition look for what has expired, and flows have services of their own: they are there only where they are made use of. */
function appOf(partitions: number, { outsiders, flows }: Plan["ground"]): AppDefinition {
  const name = `${partitions} ${outsiders !== undefined} ${flows !== undefined}`;
  const known = apps.get(name);
  if (known) return known;
  const services = [
    ...listServices(),
    bankService(),
    clockService(),
    ...(outsiders === undefined ? [] : outsideServices()),
    ...(flows === undefined ? [] : [counterService()]),
  ];
  const more = flows === undefined ? {} : { flows: simulatedFlows() };
  const app = defineApp({ services, effects: [deed, fare], sagas: [trip], partitions, ...more });
  apps.set(name, app);
  return app;
}

/** An update under way: some instances run older code, after a restart perhaps again. */
function versionsOf({ seed, rates }: Plan): () => PeerFormat {
  const random = createRandom(deriveSeed(seed, 9));
  return () => (random.next() < rates.olderCode ? 1 : NEWEST_FORMAT);
}

let core: WebAssembly.Module | undefined;
/** Windows of an instance that crashes are given back by nobody: their memory goes with the run. */
function ownKernels(): Kernels {
  core ??= loadCore();
  return createKernels(core);
}

class Run {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #setup: ClientSetup;
  readonly #coverage = new Coverage();
  readonly #boundaries = new Boundaries();
  readonly #lingerMs: number;
  readonly #durable: DurableLog;

  constructor(plan: Plan, { kernels: shared, show = false, profile, observer, lingerMs = 0 }: RunOptions) {
    const kernels = plan.ground.flows === undefined ? shared : ownKernels();
    this.#plan = plan;
    this.#lingerMs = lingerMs;
    this.#durable = new DurableLog(kernels, plan, () => this.#world.scheduler.now);
    this.#world = new World({
      seed: plan.seed,
      partitions: plan.partitions,
      most: mostPartitions(plan),
      app: appOf(plan.partitions, plan.ground),
      kernels,
      profile: profile ?? profileOf(plan.rates),
      // One partition alone needs none: that is how the local path is simulated by itself.
      ...(plan.partitions > 1
        ? {
            coordinator: (world: World) =>
              new CoordinatorObject(world, kernels, plan.partitions) as unknown as SimObject<unknown>,
          }
        : {}),
      formats: versionsOf(plan),
      kindsOf,
      observer: observer ? both(this.#observer(), observer) : this.#observer(),
      trace: show,
    });
    this.#ledger = new Ledger(this.#world);
    this.#setup = {
      world: this.#world,
      kernels,
      ledger: this.#ledger,
      durable: this.#durable,
      map: () => (this.#world.coordinator as unknown as CoordinatorObject | undefined)?.map ?? initialMap(1),
    };
  }

  #observer(): Observer {
    const aims = new Aims(this.#plan.aims);
    const coverage = this.#coverage;
    return {
      boundary: ({ object }) => (this.#world.calm ? undefined : this.#boundaries.next(object.number)),
      persisted: (instance, ops) => aims.persisted(instance, ops),
      confirmed: (instance) => aims.confirmed(instance),
      durable: (object, ops) => this.#durable.durable(object, ops),
      sent: (rpc) => aims.sent(rpc),
      receiving: (instance, rpc) => {
        coverage.handled(instance, rpc);
        aims.handled(instance, rpc);
      },
      started: (instance) => coverage.started(instance),
      crashed: (instance) => coverage.crashed(instance),
    };
  }

  async run(): Promise<Report> {
    try {
      await this.#play();
    } catch (error) {
      // Of a machine that is only asked for its status, for one.
      this.#world.fail(`the run stopped: ${String(error)}`, error);
    }
    return this.#report();
  }

  async #play(): Promise<void> {
    const world = this.#world;
    const initial = [
      ...world.partitions.slice(0, this.#plan.partitions),
      ...(world.coordinator ? [world.coordinator] : []),
    ];
    for (const object of initial as ReadonlyArray<SimObject<unknown>>)
      world.scheduler.in(object.random.next() * 5, () => void object.boot());
    schedulePlanned(world, this.#plan.planned, this.#boundaries);
    const clients = this.#plan.clients.map((plan, number) => new Client(this.#setup, number, plan));
    for (const client of clients) client.next();
    const answered = () => clients.every(({ isDone }) => isDone);
    await world.run(answered, FAULTS_MS);
    if (this.#lingerMs > 0) await this.#pass(this.#lingerMs);
    world.calmDown();
    if (!(await world.run(answered, world.scheduler.now + PATIENCE_MS))) this.#unanswered();
    const final = world.failures.length === 0 ? await this.#end() : null;
    if (final) {
      const findings = judge(this.#ledger, this.#durable, final, world.outside.done, mostSkewMs(this.#plan));
      for (const { anomaly, explanation } of findings) world.fail(`${anomaly}: ${explanation}`);
    }
  }

  #unanswered(): void {
    if (this.#world.failures.length > 0) return;
    const open = [...this.#ledger.entries.values()].filter(({ completed }) => completed === null);
    const names = open.map(({ process, request }) => `${process} ${request.row.id}`);
    this.#world.fail(`without an answer: ${names.join(", ")}\n${this.#statuses()}`);
  }

  /** Nothing is left, and what is there is still there when every object has lost its memory. */
  async #end(): Promise<Final | null> {
    // A late copy of a request that was answered with a failure may still run: failures are not recorded.
    await this.#world.run(() => false, this.#world.scheduler.now + LATE_MS);
    // With one partition left nobody may ever call another object again, and then it tells nothing of itself.
    // One after the other: an event is about one instance.
    for (const object of this.#world.objects) {
      if (object.isNew || object.current) continue;
      this.#world.scheduler.in(0, () => void object.boot());
      await this.#world.run(() => false, this.#world.scheduler.now + 1);
    }
    // Before anything is asked for, too: reading leaves records, and with them what a restart knows.
    if (!(await this.#drain())) return null;
    if ((this.#plan.ground.clocks ?? []).length > 0 && !(await this.#redrive())) return null;
    this.#resetAll();
    const first = await this.#drainAndRead(0);
    if (!first) return null;
    this.#resetAll();
    this.#world.scheduler.in(2, () => this.#seeNothingKept());
    const second = await this.#drainAndRead(1);
    const changed = second ? differences(first, second) : [];
    if (changed.length > 0)
      this.#world.fail(`after a reset of all objects the state is another: ${changed.join("; ")}`);
    return second;
  }

  /** What failed for good while everything went wrong goes through now. */
  async #redrive(): Promise<boolean> {
    const operator = new Operator(this.#setup);
    await this.#pass(Math.max(1, FAILS_MS - this.#world.scheduler.now));
    if (!(await this.#drain())) return false;
    for (let round = 0; round < 2; round++) {
      const count = await operator.redriveAll(PATIENCE_MS);
      if (count === null) this.#world.fail(`an operator is not answered\n${this.#statuses()}`);
      if (count === null || !(await this.#drain())) return false;
      if (round > 0 && count > 0) this.#world.fail(`${count} messages fail though nothing is wrong with them`);
      for (let n = 0; n < count; n++) this.#world.count("dead letter sent again");
    }
    return true;
  }

  /** A message that was delivered is forgotten for good: no restart finds it again. */
  #seeNothingKept(): void {
    for (const [name, { outbox = 0, timers = 0 }] of Object.entries(this.#statusByName())) {
      const kept = outbox + timers;
      if (kept > 0) this.#world.fail(`kept for ever: ${name} finds ${kept} messages after a restart at rest`);
    }
  }

  #resetAll(): void {
    for (const object of this.#world.objects) {
      object.crash({ keep: "all", zombie: false, bootMs: 1, kind: "reset at the end" });
    }
  }

  async #drainAndRead(round: number): Promise<Final | null> {
    const world = this.#world;
    if (!(await this.#drain())) return null;
    const final = await readFinal(this.#setup, this.#plan.ground, round, PATIENCE_MS);
    if (!final && world.failures.length === 0) world.fail(`final reads are not answered\n${this.#statuses()}`);
    return final;
  }

  /** Looks now and then whether everything is at rest. That it never comes to rest is a failure. */
  async #drain(): Promise<boolean> {
    const world = this.#world;
    const deadline = world.scheduler.now + PATIENCE_MS;
    let rests = 0;
    do {
      await this.#pass(50);
      // Twice: what is to be written next may be nothing that is counted.
      rests = this.#isAtRest() ? rests + 1 : 0;
      if (rests === 2) return true;
    } while (world.scheduler.now < deadline && world.failures.length === 0);
    if (world.failures.length > 0) return false;
    const leaks = findLeaks(this.#statusByName()).filter(({ anomaly }) => anomaly === "left-over");
    world.fail(`it does not drain: ${leaks.map(({ explanation }) => explanation).join("; ")}\n${this.#statuses()}`);
    return false;
  }

  async #pass(ms: number): Promise<void> {
    let passed = false;
    this.#world.scheduler.in(ms, () => (passed = true));
    await this.#world.run(() => passed, Infinity);
  }

  #isAtRest(): boolean {
    const up = this.#world.objects.every(({ current, isNew }) => isNew || current?.gate.isClean === true);
    if (!up || this.#world.coordinator?.current?.phase === "recovering") return false;
    return findLeaks(this.#statusByName()).every(({ anomaly }) => anomaly !== "left-over");
  }

  #statusByName(): Record<string, Status> {
    return Object.fromEntries(
      this.#world.objects.flatMap(({ name, current }) =>
        current ? [[name, (current as PartitionInstance | CoordinatorInstance).status as unknown as Status]] : [],
      ),
    );
  }

  #statuses(): string {
    return this.#world.objects
      .map(
        ({ name, current }) =>
          `${name}: ${JSON.stringify((current as PartitionInstance | CoordinatorInstance | null)?.status ?? "down")}`,
      )
      .join("\n");
  }

  #report(): Report {
    const world = this.#world;
    const answers = new Map<string, number>();
    for (const { answer, request } of this.#ledger.entries.values()) {
      const { ask } = request.transaction;
      const name = `${ask.kind === "list" ? ask.shape : ask.kind} ${answer?.status ?? "none"}`;
      answers.set(name, (answers.get(name) ?? 0) + 1);
    }
    return {
      seed: this.#plan.seed,
      failures: world.failures,
      notes: world.notes,
      transactions: this.#plan.clients.reduce((sum, groups) => sum + groups.flat().length, 0),
      answers,
      faults: world.faults,
      coverage: this.#coverage.cells,
      hash: world.trace.hash,
      simulatedMs: world.scheduler.now,
      events: world.scheduler.steps,
      messages: world.network.hops,
      newer: world.network.newer,
      lines: world.trace.lines ?? [],
    };
  }
}
