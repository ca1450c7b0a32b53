/** The shell of a partition: starts the machine from storage, feeds it inputs, performs its effects. */
import core from "../core-wasm/build/core.wasm";
import { createKernels } from "../core-wasm/facade/kernels.ts";
import { CorruptError } from "../core-wasm/types.ts";
import { InvariantError } from "../protocol/assert.ts";
import { markedRecords } from "../protocol/epochs/prepared-mark.ts";
import { Engine, type EngineHost, type HostEffect } from "../protocol/execution/engine.ts";
import { readName } from "../protocol/keygroups/names.ts";
import { initialMap } from "../protocol/keygroups/map.ts";
import { LIMITS } from "../protocol/limits.ts";
import { DamagedMachine } from "../protocol/partition/damaged.ts";
import type { AdminAsk, AdminReply } from "../protocol/backup/asks.ts";
import type { PartitionFigures } from "../protocol/observe/figures.ts";
import { logEntry, type LogMembers } from "../protocol/observe/log-entry.ts";
import { Observer } from "../protocol/observe/observer.ts";
import { spansOf } from "../protocol/observe/spans.ts";
import { newSpanId } from "../protocol/observe/traceparent.ts";
import { type TelemetryBindings, telemetryOf } from "../protocol/observe/telemetry.ts";
import type { Beside } from "../protocol/link/carrier.ts";
import type { LinkInput } from "../protocol/link/effects.ts";
import type { OutsideCall } from "../protocol/outside/work.ts";
import type { Input, ViewReply } from "../protocol/partition/effects.ts";
import { PartitionMachine } from "../protocol/partition/machine.ts";
import type { PartitionStatus } from "../protocol/partition/setup.ts";
import type { AppDefinition } from "../sdk/app.ts";
import { asDamage } from "./damage.ts";
import { DamagedShell } from "./damaged-shell.ts";
import { FlushSchedule } from "./flush-schedule.ts";
import { Gathering, isCrowd } from "./gathering.ts";
import { LinkShell } from "./link-shell.ts";
import { runOutside } from "./outside.ts";
import { rung } from "./rung.ts";
import { enclose, platformTimers } from "./sandbox.ts";
import { SqlMeter } from "./sql-meter.ts";
import { startObject } from "./start.ts";
import type { Answered, OwnDomain, PeerSession } from "./peers.ts";
import { PartitionStore } from "./store.ts";
import { Exporter } from "./telemetry/exporter.ts";
import { type Usage, type UsageFigures, usageOf } from "./usage.ts";

/** Time for an answer to leave before its object starts over. */
const LEAVES_MS = 50;

interface Waiting {
  resolve(body: Uint8Array | ViewReply | AdminReply): void;
}

export class PartitionShell implements EngineHost {
  readonly #ctx: DurableObjectState;
  readonly #app: AppDefinition;
  readonly #partition: number;
  readonly #domain: OwnDomain;
  readonly #usage: Usage;
  readonly #meter: SqlMeter;
  readonly #store: PartitionStore;
  readonly #schedule: FlushSchedule;
  readonly #links: LinkShell;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exporter: Exporter | undefined;
  readonly observer = new Observer(
    () => Date.now(),
    (transaction) => this.#exporter?.add(spansOf(transaction, this.#partition, () => newSpanId(crypto.randomUUID()))),
  );
  #engine: Engine | undefined;
  /** Set when storage is damaged: every request gets it, nothing is served. */
  #refusal: Error | undefined;
  /** Then this takes part in the protocol, so that the others need not wait. */
  #damaged: DamagedShell | undefined;
  #nextTicket = 1;
  #begins = false;
  #startsOver = false;
  /** What its machine found wrong with itself when it began. */
  #failed: unknown;

  constructor(ctx: DurableObjectState, app: AppDefinition, bindings: TelemetryBindings) {
    const telemetry = telemetryOf(bindings);
    this.#exporter = telemetry && new Exporter(telemetry);
    this.#ctx = ctx;
    this.#app = app;
    const { tenant, partition } = readName(ctx.id.name);
    if (partition === null) throw new Error(`a partition object needs a name like partition-0, not ${ctx.id.name}`);
    this.#partition = partition;
    this.#domain = { tenant, placement: app.door.placement(tenant) };
    this.#usage = usageOf(ctx.id.name ?? "");
    this.#usage.started();
    this.#meter = new SqlMeter(ctx.storage.sql, this.#usage);
    this.#store = new PartitionStore(this.#meter);
    const settled = (): Promise<void> => ctx.storage.sync();
    const gathering = new Gathering({
      isAlone: () => this.#isAlone,
      settled,
      crowd: { isThere: () => isCrowd(this.#engine?.machine.transactions.load), rung: () => rung(this.#usage) },
    });
    const flush = (): void => this.#engine?.input({ kind: "flush" });
    this.#schedule = new FlushSchedule(flush, () => gathering.over(), settled);
    const host = {
      input: (input: LinkInput): void => this.#engine?.input(input),
      gathered: (apart: boolean): Promise<void> => gathering.over(apart),
    };
    this.#links = new LinkShell(host, this.#usage, this.#domain, partition);
    startObject(
      ctx,
      () => this.#start(),
      (error) => this.#log("error", `partition ${partition} does not start`, { error }),
    );
  }

  async #start(): Promise<void> {
    this.#usage.begin();
    try {
      await this.#open();
    } finally {
      this.#usage.end();
    }
  }

  async #open(): Promise<void> {
    const partition = this.#partition;
    this.#store.open();
    const incarnation = this.#store.nextIncarnation();
    try {
      this.#engine = new Engine(this.#machine(partition, incarnation), this);
      this.#begin(this.#engine);
    } catch (error) {
      const damage = asDamage(error);
      if (!(damage instanceof CorruptError || damage instanceof InvariantError)) throw error;
      this.#log("error", `partition ${partition} does not serve, its storage is damaged`, { error: damage });
      this.#refusal = damage;
      this.#engine = undefined;
      const surroundings = { usage: this.#usage, domain: this.#domain, partition };
      this.#damaged = new DamagedShell(this.#ctx, this.#store, this.#standIn(partition, incarnation), surroundings);
    }
  }

  /** @throws what the machine finds wrong with itself meanwhile, with nothing written: it would come to the same each time that it starts. */
  #begin(engine: Engine): void {
    this.#begins = true;
    this.#ctx.storage.transactionSync(() => {
      engine.input({ kind: "start" });
      if (this.#failed !== undefined) throw this.#failed;
    });
    this.#begins = false;
  }

  #standIn(partition: number, incarnation: number): DamagedMachine {
    return new DamagedMachine({
      kernels: createKernels(core),
      partition,
      incarnation,
      generation: Number(this.#store.meta("generation") ?? 0),
      decided: Number(this.#store.meta("decided") ?? 0),
      records: markedRecords(this.#store.mark, partition),
    });
  }

  #machine(partition: number, incarnation: number): PartitionMachine {
    return new PartitionMachine({
      app: this.#app,
      kernels: createKernels(core),
      reader: this.#store,
      partition,
      // The coordinator tells the map before anything is served.
      map: initialMap(1),
      incarnation,
      nonce: crypto.randomUUID(),
      recovered: this.#store.recovered(),
      observer: this.observer,
    });
  }

  /**
   * Feeds a request and resolves with its reply.
   * @param bytes of the request, to be counted
   * @param traceparent of a request that is traced
   * @throws CorruptError for a damaged frame or damaged storage
   */
  async request(
    input: (ticket: number) => Input,
    bytes: number,
    traceparent?: string,
  ): Promise<Uint8Array | ViewReply | AdminReply> {
    this.#usage.request(bytes);
    if (this.#refusal) throw this.#refusal;
    const engine = this.#engine;
    if (!engine) throw new Error("the partition has not started");
    const ticket = this.#nextTicket++;
    if (traceparent !== undefined) this.observer.expect(ticket, traceparent);
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { resolve });
      this.#usage.begin();
      try {
        engine.input(input(ticket));
      } catch (error) {
        if (this.#waiting.delete(ticket)) this.#usage.end();
        this.observer.answered(ticket);
        this.#log("error", "refused a frame", { error });
        reject(error);
      }
    });
  }

  /** A batch of messages from another partition or the coordinator. @throws when one of the two has been replaced */
  async deliver(bytes: Uint8Array, beside?: Beside): Promise<number | Answered> {
    if (this.#damaged) return this.#damaged.deliver(bytes, beside);
    if (!this.#engine) throw new Error("the partition has not started");
    return this.#links.deliver(bytes, beside);
  }

  session(): PeerSession {
    return this.#links.session((bytes, beside) => this.deliver(bytes, beside));
  }

  /** The alarm has rung; that it started this object may be all that it was for. */
  alarm(): void {
    this.#usage.alarm();
    this.#engine?.input({ kind: "alarm" });
    // What is kept there may wait for its time, and code that can do without what is wrong may come: nobody else may ever wake it.
    if (this.#damaged) this.perform({ kind: "alarm", inMs: LIMITS.alarmMs });
  }

  /** @throws when the partition does not serve. */
  get status(): PartitionStatus {
    if (!this.#engine) throw this.#refusal ?? new Error("the partition has not started");
    return this.#engine.machine.status;
  }

  /** What leaves has nothing to share a call or a write with. */
  get #isAlone(): boolean {
    return this.#waiting.size <= 1 && this.#engine?.machine.transactions.attempts.isAlone === true;
  }

  /** What this object has used, in all its instances of this isolate, and when its alarm rings: null for never. */
  async usage(): Promise<UsageFigures & { readonly alarmAt: number | null }> {
    this.#meter.settle();
    return { ...this.#usage.figures, alarmAt: await this.#ctx.storage.getAlarm() };
  }

  /** @throws when the partition does not serve */
  async figures(): Promise<PartitionFigures> {
    const { status } = this;
    this.#meter.settle();
    return {
      status,
      observed: this.observer.figures,
      used: this.#usage.figures,
      records: { ...this.#store.written },
      databaseBytes: this.#store.databaseBytes,
      alarmAt: await this.#ctx.storage.getAlarm(),
    };
  }

  /** As `request`; where the answer says that this instance is done for, the next one starts once it has left. */
  async admin(ask: AdminAsk): Promise<Uint8Array | AdminReply> {
    const bytes = ask.op === "restore-table" ? ask.bytes.length : 0;
    const body = (await this.request((ticket) => ({ kind: "admin", ticket, ask }), bytes)) as Uint8Array | AdminReply;
    if ("restart" in body && body.restart === true) this.#startOver("what it restored is to be served");
    return body;
  }

  /** Overwrites what deleted rows have left in the database. False when it is too large for that. The next instance goes on. */
  async scrub(): Promise<boolean> {
    this.#store.clearFree();
    if (!this.#store.canScrub) return false;
    this.#usage.begin();
    try {
      for (const step of this.#store.scrub()) {
        this.#ctx.storage.transactionSync(step);
        // What one step frees is overwritten by the next only when it is free in the file.
        await this.#ctx.storage.sync();
      }
    } finally {
      this.#usage.end();
    }
    this.#startOver("its storage was scrubbed: the write-ahead log goes with the connection");
    return true;
  }

  /** Asked again before it has, it is under way. */
  #startOver(why: string): void {
    if (this.#startsOver) return;
    this.#startsOver = true;
    platformTimers.setTimeout(() => this.#ctx.abort(why), LEAVES_MS);
  }

  #reply(ticket: number, body: Uint8Array | ViewReply | AdminReply): void {
    const waiting = this.#waiting.get(ticket);
    if (!waiting) return;
    this.#waiting.delete(ticket);
    this.observer.answered(ticket);
    this.#usage.transferred(body instanceof Uint8Array ? body.length : body.body.length);
    this.#usage.end();
    waiting.resolve(body);
  }

  perform(effect: HostEffect): void {
    switch (effect.kind) {
      case "persist":
        for (const op of effect.ops) this.#store.perform(op);
        return;
      case "reply":
        // The output gate holds the answer until every write of this and earlier turns is confirmed.
        this.#reply(effect.ticket, effect.body);
        return;
      case "run-outside":
        // The output gate holds the call until every write of this and earlier turns is confirmed.
        void this.#runOutside(effect.call);
        return;
      case "want-flush":
        this.#schedule.want();
        return;
      case "want-fold":
        void rung(this.#usage).then(() => this.#engine?.input({ kind: "fold" }));
        return;
      case "want-work":
        // A timer, so that what comes from outside is looked at in between.
        platformTimers.setTimeout(() => this.#engine?.input({ kind: "work" }), 1);
        return;
      case "alarm":
        this.#usage.rows(0, 1);
        // A write that fails resets the object, and the next instance sets its own.
        this.#ctx.storage.setAlarm(Date.now() + effect.inMs).catch(() => undefined);
        return;
      case "report":
        this.#log(effect.level, effect.message, effect.members);
        return;
      default:
        this.#links.perform(effect);
    }
  }

  async #runOutside(call: OutsideCall): Promise<void> {
    this.#usage.begin();
    const end = await runOutside(this.#app, call);
    this.#usage.end();
    this.#engine?.input({ kind: "outside-ended", id: call.id, end });
  }

  /** Drops this instance, this turn's writes included; the platform starts the next from storage. */
  fatal(error: unknown): void {
    if (this.#begins) {
      this.#failed ??= error;
      return;
    }
    this.#log("error", `partition ${this.#ctx.id.name} starts over`, { error });
    this.#ctx.abort(error instanceof Error ? error.message : String(error));
  }

  #log(level: "error" | "warn", message: string, members: LogMembers = {}): void {
    const { tenant } = this.#domain;
    console[level](logEntry(message, { partition: this.#partition, ...(tenant === "" ? {} : { tenant }), ...members }));
  }

  enclose<T>(call: () => T): T {
    return enclose(call);
  }
  now(): number {
    return Date.now();
  }
  random(): number {
    return Math.random();
  }
  uuid(): string {
    return crypto.randomUUID();
  }
}
