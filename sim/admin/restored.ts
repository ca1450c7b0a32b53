/**
 * A backup restored into an empty domain, as `POST /admin/restore` does it, without faults: what is there then, once what was on its way has
 * arrived, must be what one moment of the run leads to.
 */
import type { RestoreAnswer } from "../../protocol/backup/asks.ts";
import { encodeMap } from "../../protocol/keygroups/map.ts";
import type { Kernels } from "../../core-wasm/types.ts";
import type { AppDefinition } from "../../sdk/index.ts";
import { Client, type ClientSetup } from "../clients/client.ts";
import type { Answer } from "../clients/frames.ts";
import { FAILS_MS, LONGEST_DELAY_MS } from "../clients/clocks.ts";
import { isKept, Ledger } from "../clients/ledger.ts";
import { DurableLog } from "../durable-log.ts";
import { Ending, PATIENCE_MS, UNTIMED } from "../ending.ts";
import type { Final } from "../final.ts";
import { Kernel } from "../flows/app.ts";
import type { FlowAsk } from "../flows/asks.ts";
import { mostSkewMs, type Plan } from "../plan.ts";
import { createRandom } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { CoordinatorObject } from "../world/coordinator-object.ts";
import type { SimObject } from "../world/object.ts";
import type { OutsideWorld } from "../world/outside.ts";
import { steady } from "../world/profile.ts";
import { World } from "../world/world.ts";
import type { Taken } from "./backup.ts";
import { SECRET } from "../clients/slates.ts";
import { Eraser } from "./eraser.ts";
import { AdminLine } from "./line.ts";

/** Requests that were answered before, and are asked again. */
const AGAIN = 20;
const BOOT_MS = 50;
/** Numbers of transactions that the run has not used, and of a batch and its event. */
const ERASING = 310_000;
const GOING_ON = 320_000;
/** Later than all events of the run: windows close by it. */
const LATER = 1_000_000_000;

export interface RestoredRun {
  readonly failures: readonly string[];
  readonly ledger: Ledger;
  /** Null when it did not come so far. */
  readonly final: Final | null;
  readonly outside: OutsideWorld;
  readonly lines: readonly string[];
}

export class Restored {
  readonly #plan: Plan;
  readonly #taken: Taken;
  readonly #world: World;
  readonly #setup: ClientSetup;
  readonly #line: AdminLine;
  readonly #ending: Ending;

  constructor(plan: Plan, app: AppDefinition, kernels: Kernels, taken: Taken) {
    const { map } = taken;
    const coordinator = (world: World) => {
      const object = new CoordinatorObject(world, kernels, map.partitions);
      object.disk.set("map", encodeMap(map));
      return object as unknown as SimObject<unknown>;
    };
    this.#plan = plan;
    this.#taken = taken;
    const seed = deriveSeed(plan.seed, 31);
    this.#world = new World({ seed, partitions: map.partitions, app, kernels, profile: steady(1, 2), coordinator });
    this.#world.calm = true;
    // Nobody restores what is yet to come; and what fails for a time has had that.
    this.#world.scheduler.now = Math.max(taken.at, FAILS_MS);
    const durable = new DurableLog(kernels, plan, () => this.#world.scheduler.now);
    const known = this.#world.coordinator as unknown as CoordinatorObject;
    this.#setup = { world: this.#world, kernels, durable, ledger: new Ledger(this.#world), map: () => known.map };
    this.#line = new AdminLine(this.#world, createRandom(seed));
    // What the run has erased later waits here for a time that does not come.
    this.#ending = new Ending(this.#setup, plan.ground, UNTIMED);
  }

  /** @param before what clients were told in the run that was backed up */
  async run(before: Ledger): Promise<RestoredRun> {
    const world = this.#world;
    for (const object of world.objects) world.scheduler.in(0, () => void object.boot());
    await this.#ending.pass(BOOT_MS);
    await this.#restore();
    if (world.failures.length === 0) await this.#askAgain(before);
    if (world.failures.length === 0) await this.#erase();
    // At rest timers are not looked at: those that were set just before the backup was taken are to come, too.
    const { clocks = [] } = this.#plan.ground;
    if (clocks.length > 0) await this.#ending.pass(LONGEST_DELAY_MS + 2 * mostSkewMs(this.#plan));
    const final = world.failures.length === 0 ? await this.#ending.end() : null;
    if (final !== null && this.#plan.ground.flows !== undefined) await this.#goOn();
    const { ledger } = this.#setup;
    return { failures: world.failures, ledger, final, outside: world.outside, lines: world.trace.lines ?? [] };
  }

  /** What the window kernel takes behind the restore outlives every instance, too: it is in another log than what was restored. */
  async #goOn(): Promise<void> {
    const world = this.#world;
    const event = { n: GOING_ON, k: "later", v: 1, at: LATER };
    const told = [
      await this.#asked({ kind: "events", stream: Kernel.name, batch: GOING_ON, events: [event], producer: null }, 0),
      await this.#asked({ kind: "kernel-view" }, 1),
    ];
    if (told.some((answer) => answer?.status !== 200))
      return world.fail(`a flow does not go on: ${JSON.stringify(told)}`);
    for (const object of world.partitions)
      object.crash({ keep: "all", zombie: false, bootMs: 1, kind: "crash behind a restore" });
    const again = await this.#asked({ kind: "kernel-view" }, 2);
    if (again?.body !== told[1]?.body)
      world.fail(`a view is ${again?.body} behind a crash, and was ${told[1]?.body} before`);
  }

  async #asked(ask: FlowAsk, number: number): Promise<Answer | null> {
    const { world, ledger } = this.#setup;
    const clientId = ask.kind !== "kernel-view";
    const transaction = { number: GOING_ON + number, ask, snapshot: false, clientId, after: 0 };
    const client = new Client(this.#setup, transaction.number, [[transaction]]);
    client.next();
    await world.run(() => client.isDone, world.scheduler.now + PATIENCE_MS);
    const entries = [...ledger.entries.values()];
    return entries.find(({ request }) => request.transaction === transaction)?.answer ?? null;
  }

  /** What was to be erased may have been there when the backup was taken: messages for later, among others, that nothing waits for. */
  async #erase(): Promise<void> {
    const world = this.#world;
    const { slates } = this.#plan.ground;
    if (!slates) return;
    const eraser = new Eraser(this.#setup, slates.secret, SECRET, ERASING);
    eraser.start();
    const isOver = await world.run(() => eraser.isDone, world.scheduler.now + PATIENCE_MS);
    if (!isOver && world.failures.length === 0) world.fail("what was restored cannot be erased");
  }

  /** All of it is known to be sound before anybody serves anything. */
  async #restore(): Promise<void> {
    const { id, tables } = this.#taken;
    for (const [partition, own] of tables.entries()) {
      await this.#ask(partition, { op: "restore", id });
      for (const bytes of own) await this.#ask(partition, { op: "restore-table", id, bytes });
    }
    for (const partition of tables.keys()) await this.#ask(partition, { op: "restore-end", id });
    // Each starts over, and then says that it serves.
    for (const partition of tables.keys()) {
      const answer = await this.#ask(partition, { op: "restore", id });
      if (answer?.state !== "done") this.#world.fail(`a restored partition is ${JSON.stringify(answer)}`);
    }
  }

  async #ask(partition: number, ask: Parameters<AdminLine["ask"]>[1]): Promise<RestoreAnswer | null> {
    const world = this.#world;
    let answer: RestoreAnswer | null = null;
    let isAnswered = false;
    this.#line.ask(partition, ask, (told) => {
      isAnswered = true;
      if (told instanceof Uint8Array || told.status !== 200)
        world.fail(`${ask.op} was answered ${JSON.stringify(told)}`);
      else answer = told.value as RestoreAnswer;
    });
    const isOver = await world.run(() => isAnswered, world.scheduler.now + PATIENCE_MS);
    if (!isOver && world.failures.length === 0) world.fail(`${ask.op} is not answered by partition ${partition}`);
    return answer;
  }

  /** Who was answered before the backup began is answered the same. */
  async #askAgain(before: Ledger): Promise<void> {
    const known = [...before.entries.values()].filter(
      ({ answer, completed, request }) =>
        answer &&
        completed !== null &&
        completed < this.#taken.invoked &&
        mayAskAgain(request) &&
        isKept(request, answer),
    );
    const random = createRandom(deriveSeed(this.#plan.seed, 33));
    const some = known.filter(() => random.int(known.length) < AGAIN);
    const clients = some.map(({ request }) => {
      const client = new Client(this.#setup, request.transaction.number, [[{ ...request.transaction, after: 0 }]]);
      client.next();
      return client;
    });
    const { world, ledger } = this.#setup;
    const isOver = await world.run(() => clients.every(({ isDone }) => isDone), world.scheduler.now + PATIENCE_MS);
    if (!isOver && world.failures.length === 0) world.fail("a restored domain does not answer");
    for (const { request, answer } of some) {
      const again = ledger.entries.get(request.row.id)?.answer;
      if (again?.status === answer?.status && again?.body === answer?.body) continue;
      const [told, retold] = [answer, again].map((each) => `${each?.status} ${each?.body}`);
      world.fail(`${request.row.id} was answered ${told} and then ${retold} where it was restored`);
    }
  }
}

/** What is known by a client's id, and whose answer is not erased. */
function mayAskAgain({
  transaction,
}: {
  readonly transaction: { readonly clientId: boolean; readonly ask: { readonly kind: string } };
}): boolean {
  return transaction.clientId && transaction.ask.kind !== "slate" && transaction.ask.kind !== "erase";
}
