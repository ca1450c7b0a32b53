/** One run of a plan: clients and faults until everything is answered, then calm until everything has drained, then the verdict. */
import { kernelsOf } from "../core-wasm/facade/kernels.ts";
import { loadCore } from "../core-wasm/load-node.ts";
import type { Kernels } from "../core-wasm/types.ts";
import { type AppDefinition, defineApp } from "../sdk/index.ts";
import { bankService } from "./clients/bank-service.ts";
import { Client, type ClientSetup } from "./clients/client.ts";
import { Ledger } from "./clients/ledger.ts";
import { CLOCK_ATTEMPTS, clockService, DEADLY_ATTEMPTS } from "./clients/clock-service.ts";
import { deed, fare, outsideServices, trip } from "./clients/outside-service.ts";
import { promiseService } from "./clients/promise-service.ts";
import { slateService } from "./clients/slate-service.ts";
import { deployedService, LAST_VERSION } from "./clients/deployed-service.ts";
import { ROLLOUT_MS } from "./clients/deploys.ts";
import { tickService } from "./clients/tick-service.ts";
import { useService } from "./clients/use-service.ts";
import { toll, tour, tourService } from "./clients/tour-service.ts";
import { listServices } from "./clients/list-services.ts";
import { counterService, simulatedFlows } from "./flows/app.ts";
import { lookupService } from "./flows/drawn/lookups.ts";
import { isOfKernel } from "./flows/asks.ts";
import { endsFlow, gateService } from "./flows/ends/app.ts";
import { queueFlow, tallyService } from "./flows/queue/app.ts";
import { comesLate, drawMessages } from "./flows/queue/draw.ts";
import { Queue } from "./flows/queue/queue.ts";
import { drawnFlow } from "./flows/drawn/app.ts";
import { CHANGE_LASTS_MS, mayRefuse } from "./flows/changes.ts";
import { isRefusing, LAST_FLOW_VERSION } from "./flows/versions.ts";
import { DurableLog } from "./durable-log.ts";
import { Coverage } from "./coverage.ts";
import { Aims } from "./faults/aims.ts";
import { Boundaries, schedulePlanned } from "./faults/planned.ts";
import { mildProfileOf, profileOf } from "./faults/rates.ts";
import { initialMap } from "../protocol/keygroups/map.ts";
import { NEWEST_FORMAT, type PeerFormat } from "../protocol/wire/codec.ts";
import { hasRetention, RETENTION, RetentionAct } from "./acts/retention.ts";
import { TimesAct } from "./acts/times.ts";
import { Backup, type Taken } from "./admin/backup.ts";
import { Eraser } from "./admin/eraser.ts";
import { Restored } from "./admin/restored.ts";
import { tracesOf } from "./checkers/traces.ts";
import { drawSecrets, SECRET } from "./clients/slates.ts";
import { Ending, PATIENCE_MS } from "./ending.ts";
import { createRandom } from "./random.ts";
import { deriveSeed } from "./seeds.ts";
import { mostPartitions, mostSkewMs, type Plan } from "./plan.ts";
import { CoordinatorObject } from "./world/coordinator-object.ts";
import { countedService } from "./world/functions.ts";
import { Rollout } from "./world/rollout.ts";
import { kindsOf } from "./world/kinds.ts";
import type { SimObject } from "./world/object.ts";
import { SlabCore } from "./world/slab-core.ts";
import { both, type Observer } from "./world/observer.ts";
import type { Profile } from "./world/profile.ts";
import { World } from "./world/world.ts";
import { judge, judgeRestored } from "./verdict.ts";

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
  /** Batches that came with the answer to another. */
  readonly carried: number;
  readonly lines: readonly string[];
}

/** Faults stop at the latest then, in ms. */
const FAULTS_MS = 6_000;
/** Number of the client that tells a key what is to be erased. */
const TELLER = 5_000;
/** Numbers of transactions by which it is, below those of the operator. */
const ERASING = 300_000;

export function runPlan(plan: Plan, options: RunOptions): Promise<Report> {
  return new Run(plan, options).run();
}

const apps = new Map<string, AppDefinition>();
/** State with a time to live makes every partition look for what has expired, and flows have services of their own: they are there only where they are made use of. */
function appOf(partitions: number, ground: Plan["ground"], version = 0): AppDefinition {
  const { outsiders, flows, ends, queue, times, ticks, drawn } = ground;
  const deployed = times === undefined ? String(version) : `${version} ${times[0]}`;
  const parts = [outsiders, flows, ends, queue, ticks].map((part) => part !== undefined);
  const name = `${partitions} ${parts.join(" ")} ${deployed}`;
  // What is drawn is of its seed alone.
  const known = drawn ? undefined : apps.get(name);
  if (known) return known;
  const services = [
    ...[
      ...listServices(),
      bankService(),
      clockService(times === undefined ? CLOCK_ATTEMPTS : DEADLY_ATTEMPTS),
      promiseService(),
      tourService(),
      slateService(),
    ],
    ...(outsiders === undefined ? [] : outsideServices()),
    ...(flows === undefined ? [] : [counterService()]),
    ...(drawn ? [lookupService()] : []),
    ...(ends === undefined ? [] : [gateService()]),
    ...(queue === undefined ? [] : [tallyService()]),
    ...(ticks === undefined ? [] : [tickService()]),
    ...(times === undefined ? [] : [useService(), deployedService(version, times[0] as string)]),
  ];
  const ending = [...(ends === undefined ? [] : [endsFlow()]), ...(queue === undefined ? [] : [queueFlow()])];
  const more = {
    ...(flows === undefined
      ? {}
      : { flows: [...simulatedFlows(version), ...(drawn ? [drawnFlow(drawn, version)] : []), ...ending] }),
    ...(times === undefined ? {} : { resultRetention: RETENTION }),
  } as const;
  const defined = defineApp({ services, effects: [deed, fare, toll], sagas: [trip, tour], partitions, ...more });
  const app = { ...defined, services: allCounted(defined.services), builtins: allCounted(defined.builtins) };
  if (!drawn) apps.set(name, app);
  return app;
}

function allCounted(services: AppDefinition["services"]): AppDefinition["services"] {
  return new Map([...services].map(([name, service]) => [name, countedService(service)]));
}

/** The versions of the app's code, where it has several, and when they are deployed. */
function rolloutOf({ seed, partitions, ground }: Plan, waits: (version: number) => boolean): Rollout {
  const { deploys = [] } = ground;
  const versions = Array.from({ length: lastVersionOf(ground) + 1 }, (_, version) =>
    appOf(partitions, ground, version),
  );
  const lastsMs = ground.flows === undefined ? ROLLOUT_MS : CHANGE_LASTS_MS;
  return new Rollout(versions, deploys, lastsMs, createRandom(deriveSeed(seed, 63)), waits);
}

function lastVersionOf({ deploys, times }: Plan["ground"]): number {
  if (times !== undefined) return LAST_VERSION;
  return deploys === undefined ? 0 : LAST_FLOW_VERSION;
}

/** An update under way: some instances run older code, after a restart perhaps again. */
function versionsOf({ seed, rates }: Plan): () => PeerFormat {
  const random = createRandom(deriveSeed(seed, 9));
  const older = (drawn: number): PeerFormat => (drawn < rates.olderCode / 2 ? 1 : 2);
  return () => {
    const drawn = random.next();
    return drawn < rates.olderCode ? older(drawn) : NEWEST_FORMAT;
  };
}

let core: WebAssembly.Module | undefined;
/** Windows of an instance that crashes are given back by nobody: their memory goes with the run. */
function ownKernels(): Kernels {
  core ??= loadCore();
  return kernelsOf(new SlabCore(core));
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
  readonly #ending: Ending;
  readonly #rollout: Rollout;

  constructor(plan: Plan, { kernels: shared, show = false, profile, observer, lingerMs = 0 }: RunOptions) {
    const kernels = plan.ground.flows === undefined ? shared : ownKernels();
    this.#plan = plan;
    this.#rollout = rolloutOf(plan, (version) => this.#wouldBegin(version));
    this.#lingerMs = lingerMs;
    this.#durable = new DurableLog(kernels, plan, () => this.#world.scheduler.now);
    this.#world = new World({
      seed: plan.seed,
      partitions: plan.partitions,
      most: mostPartitions(plan),
      app: appOf(plan.partitions, plan.ground),
      kernels,
      profile: profile ?? profileOf(plan.rates),
      coordinator: (world: World) =>
        new CoordinatorObject(world, kernels, plan.partitions) as unknown as SimObject<unknown>,
      formats: versionsOf(plan),
      code: () => this.#rollout.appAt(this.#world.scheduler.now),
      kindsOf,
      observer: observer ? both(this.#observer(), observer) : this.#observer(),
      trace: show,
    });
    const { flows, deploys = [] } = plan.ground;
    this.#ledger = new Ledger(this.#world, (now) => flows !== undefined && mayRefuse(deploys, now));
    this.#setup = {
      world: this.#world,
      kernels,
      ledger: this.#ledger,
      durable: this.#durable,
      map: () => (this.#world.coordinator as unknown as CoordinatorObject | undefined)?.map ?? initialMap(1),
    };
    this.#ending = new Ending(this.#setup, plan.ground);
  }

  /** A version that is to be refused for what it would lose of the kernel's flow: were there nothing yet, its own would be lost to the next. */
  #wouldBegin(version: number): boolean {
    if (this.#plan.ground.flows === undefined || !isRefusing(version)) return false;
    return !this.#durable.recorded.some((id) => isOfKernel(this.#ledger.entries.get(id)?.request.transaction.ask));
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
      outsideEnded: (instance) => aims.outsideEnded(instance),
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
    for (const [version, graph] of (this.#plan.ground.drawn ?? []).entries())
      world.trace.say(0, () => `version ${version} of the drawn flow is ${JSON.stringify(graph)}`);
    schedulePlanned(world, this.#plan.planned, this.#boundaries);
    const { mildFromMs, mildLastsMs = 0 } = this.#plan.rates;
    if (mildFromMs !== undefined)
      world.scheduler.in(mildFromMs, () => world.becomeMild(mildProfileOf(this.#plan.rates)));
    const clients = this.#plan.clients.map((plan, number) => new Client(this.#setup, number, plan));
    for (const client of clients) client.next();
    const eraser = this.#eraser();
    const backup = this.#backup();
    const queue = this.#queue();
    const others = [eraser, backup, queue];
    const answered = () => clients.every(({ isDone }) => isDone) && others.every((each) => each?.isDone ?? true);
    await world.run(answered, mildFromMs === undefined ? FAULTS_MS : mildFromMs + mildLastsMs);
    if (this.#lingerMs > 0) await this.#ending.pass(this.#lingerMs);
    world.calmDown();
    this.#finishChanges();
    if (!(await world.run(answered, world.scheduler.now + PATIENCE_MS))) this.#unanswered();
    const { times } = this.#plan.ground;
    const skewMs = mostSkewMs(this.#plan);
    const deploy = (version: number) => this.#rollout.finish(version);
    const act =
      times && world.failures.length === 0 ? new TimesAct(this.#setup, times, this.#ending, skewMs, deploy) : null;
    const played = act && (await act.play());
    if (played && hasRetention(this.#plan.seed))
      await new RetentionAct(this.#setup, this.#plan.ground, this.#ending, skewMs).play();
    if (queue && comesLate(this.#plan.seed) && world.failures.length === 0) await this.#deliverLate(queue);
    const final = world.failures.length === 0 ? await this.#ending.end() : null;
    this.#seeNothingErased();
    if (final) {
      const findings = judge(
        this.#ledger,
        this.#durable,
        final,
        world.outside,
        skewMs,
        played && { ...played, deploys: this.#plan.ground.deploys ?? [] },
        this.#plan.ground.drawn,
      );
      for (const { anomaly, explanation } of findings) world.fail(`${anomaly}: ${explanation}`);
      if (backup?.taken && findings.length === 0) await this.#restore(backup.taken);
    }
  }

  /** Flows go on when all have one version of them. */
  #finishChanges(): void {
    const { flows, deploys } = this.#plan.ground;
    if (flows === undefined || deploys === undefined) return;
    this.#rollout.finish(LAST_FLOW_VERSION);
    for (const object of this.#world.partitions)
      object.crash({ keep: "all", zombie: false, bootMs: 1, kind: "deploy of another version to all" });
  }

  #queue(): Queue | null {
    const { ground, seed } = this.#plan;
    if (ground.queue === undefined) return null;
    const queue = new Queue(this.#setup, drawMessages(seed, ground.queue), mostSkewMs(this.#plan));
    queue.start();
    return queue;
  }

  /** Everybody has lost its memory, and messages that were taken long ago come once more. */
  async #deliverLate(queue: Queue): Promise<void> {
    const world = this.#world;
    for (const object of world.objects)
      object.crash({ keep: "all", zombie: false, bootMs: 1, kind: "crash before messages come late" });
    await this.#ending.pass(Math.max(1, queue.lastAt - world.scheduler.now));
    queue.deliverAgain();
    if (await world.run(() => queue.isDone, world.scheduler.now + PATIENCE_MS)) return;
    if (world.failures.length === 0) world.fail(`without an answer: messages that come late\n${this.#ending.statuses}`);
  }

  #backup(): Backup | null {
    const { backupMs } = this.#plan.ground;
    if (backupMs === undefined) return null;
    const backup = new Backup(this.#setup);
    this.#world.scheduler.in(backupMs, () => backup.start());
    return backup;
  }

  /** What was taken is one moment of the run, and leads on from there. */
  async #restore(taken: Taken): Promise<void> {
    const { partitions, ground } = this.#plan;
    const app = appOf(partitions, ground, lastVersionOf(ground));
    const restored = await new Restored(this.#plan, app, this.#setup.kernels, taken).run(this.#ledger);
    this.#world.count("backup restored");
    for (const failure of restored.failures) this.#world.fail(`restored: ${failure}`);
    if (!restored.final) return;
    const { recorded } = this.#durable;
    const { outside } = this.#world;
    const skewMs = mostSkewMs(this.#plan);
    const findings = judgeRestored(this.#ledger, taken, restored, outside, skewMs, recorded, ground.drawn);
    for (const { anomaly, explanation } of findings) this.#world.fail(`restored: ${anomaly}: ${explanation}`);
  }

  /** A client tells a key what is to be erased, and then it is. */
  #eraser(): Eraser | null {
    const { ground, seed } = this.#plan;
    if (!ground.slates) return null;
    const eraser = new Eraser(this.#setup, ground.slates.secret, SECRET, ERASING);
    new Client(this.#setup, TELLER, drawSecrets(seed, ground.slates), () => eraser.start()).next();
    return eraser;
  }

  #unanswered(): void {
    if (this.#world.failures.length > 0) return;
    const open = [...this.#ledger.entries.values()].filter(({ completed }) => completed === null);
    const names = open.map(({ process, request }) => `${process} ${request.row.id}`);
    this.#world.fail(`without an answer: ${names.join(", ")}\n${this.#ending.statuses}`);
  }

  /** Nothing has come back since, by a late copy or from where a key was kept once. */
  #seeNothingErased(): void {
    if (!this.#plan.ground.slates) return;
    for (const { name, disk } of this.#world.partitions) {
      const traces = tracesOf(SECRET, disk);
      if (traces.length > 0)
        this.#world.fail(`erased and still there: in the end, ${name} has it in ${traces.join(", ")}`);
    }
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
      carried: world.network.carried,
      lines: world.trace.lines ?? [],
    };
  }
}
