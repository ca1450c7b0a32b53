/** One-way messages of a partition: those that it keeps until they are delivered, and what became of those that it was given. */
import type { AppDefinition } from "../../sdk/app.ts";
import type { ServiceDefinition } from "../../sdk/service.ts";
import { LIMITS } from "../limits.ts";
import { burial, DEAD } from "../outbox/dead-letter.ts";
import type { Ending } from "../outbox/ending.ts";
import { sagaLetters } from "../outbox/given-up.ts";
import { concernsErased, type Erased } from "../outbox/erased.ts";
import {
  deliveredWrite,
  encodeMessage,
  keepsMessage,
  keptWrite,
  type Message,
  messageId,
  messageOf,
  messageWrites,
} from "../outbox/message.ts";
import { Loading } from "../outbox/loading.ts";
import { Outbox, type Try } from "../outbox/outbox.ts";
import type { Letter } from "../outbox/posting.ts";
import { isSuspicious } from "../outbox/suspects.ts";
import { awaits } from "../flows/egress.ts";
import { EGRESS } from "../flows/internal.ts";
import { LostTicks } from "../flows/lost-ticks.ts";
import { OutsideRunner } from "../outside/runner.ts";
import { isOutside, outcomeId, outcomeLetter, type OutsideEnd, type Work } from "../outside/work.ts";
import { isDamage } from "../state/blocks/damage.ts";
import type { Target } from "../transaction/attempt.ts";
import type { StateStore, Write } from "../state/store.ts";
import { formatMessageId } from "../../sdk/message-id.ts";
import { indexed, keepsTimer, timerId, timerWrite, TIMERS } from "../timers/timer.ts";
import { Declaring } from "../timers/declaring.ts";
import { DECLARE, FIRE } from "../timers/service.ts";
import { Timers } from "../timers/timers.ts";
import type { PartitionMessage, Peer, PostedMessage } from "../wire/messages.ts";
import type { Posted } from "./admission.ts";
import { Alarm } from "./alarm.ts";
import { expiryTarget, resolveAny } from "./resolve.ts";
import { Expiry } from "./expiry.ts";
import type { Effect } from "./effects.ts";
import type { Root } from "./root.ts";

/** Of a message's id what names the partition that made it, and its incarnation. */
const NEW_LENGTH = 16;
/** More than a partition makes. */
const IDS_PER_MS = 1_000;

export interface MailOwner {
  readonly self: Peer;
  readonly incarnation: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether storage is so far behind, or so full, that no more may begin. */
  readonly room: { readonly isCongested: boolean; readonly isFull: boolean };
  emit(effect: Effect): void;
  partitionOf(key: string): Peer;
  send(to: Peer, message: PartitionMessage): void;
}

export interface MailParts {
  /** Of this instance, which no other has. */
  readonly nonce: string | undefined;
  /** Runs a message whose target is here. */
  run(message: Posted): void;
  /** Starts a transaction of the engine's own, and returns its request id. */
  begin(target: Target, input: string): string;
  keeps(key: string): boolean;
  /** Commits changes of this partition's own. */
  commit(writes: readonly Write[]): void;
  /** Messages that ran here will not be handed over again. */
  settle(requestIds: readonly string[]): void;
}

export class Mail {
  readonly #owner: MailOwner;
  readonly #parts: MailParts;
  #outbox: Outbox;
  /** Of what is stored, what is not in memory yet. */
  #loading: Loading;
  #isHere: (message: Message) => boolean = () => true;
  readonly #outside: OutsideRunner;
  readonly #committed: StateStore;
  #ids = 0;
  #effectKeys = 0;
  /** What became of messages that ran here, to be told once that is durable. */
  #toTell: Array<{ readonly to: Peer; readonly requestId: string; readonly ending: Ending }> = [];
  /** What this partition has forgotten since the last flush, which is to be told to who ran it once that is durable. */
  #forgotten: Message[] = [];
  /** Messages have been handed to other partitions. */
  #posts = false;
  /** Messages to keys of this partition, with what is to be done with each when its row is durable. */
  readonly #here = new Map<string, Try>();
  readonly #alarm: Alarm;
  readonly #timers: Timers;
  readonly #expiry: Expiry;
  readonly #declaring: Declaring;
  readonly #lostTicks: LostTicks;
  readonly #app: AppDefinition;

  constructor(app: AppDefinition, owner: MailOwner, parts: MailParts, committed: StateStore) {
    this.#app = app;
    this.#owner = owner;
    this.#parts = parts;
    this.#outbox = this.#emptyOutbox();
    this.#loading = new Loading(committed);
    this.#outside = this.#runner();
    this.#committed = committed;
    this.#alarm = new Alarm(owner);
    this.#timers = new Timers(this.#timersOwner(), committed);
    this.#expiry = new Expiry(app, this.#expiryOwner(), committed);
    this.#declaring = new Declaring(app, this.#timersOwner());
    this.#lostTicks = new LostTicks(app, this.#timersOwner(), committed);
    this.#load();
    // Before the era tells the map nothing fires: should this instance not live so long, another one must be started.
    if (this.#timers.size > 0 || this.#timers.isLooking) this.#wantAlarm();
  }

  #emptyOutbox(): Outbox {
    const [owner, parts] = [this.#owner, this.#parts];
    return new Outbox({
      post: (message, how) => this.#post(message, how),
      probe: ({ key }) => {
        const peer = owner.partitionOf(key);
        if (peer !== owner.self) owner.send(peer, { kind: "ping" });
      },
      delivered: (message) => {
        parts.commit([deliveredWrite(message)]);
        this.#forgotten.push(message);
      },
      failed: (message) => parts.commit([{ op: "put", key: message.row, text: encodeMessage(message) }]),
      dead: (message) => this.#bury(message),
      attemptsOf: ({ service }) => this.#attemptsOf(service),
      now: () => owner.now,
    });
  }

  #timersOwner() {
    const [owner, parts, app] = [this.#owner, this.#parts, this.#app];
    const isFull = () => this.#outbox.isFull;
    return {
      get now() {
        return owner.now;
      },
      get mayFire() {
        return !isFull() && !owner.room.isCongested && !owner.room.isFull;
      },
      keeps: (key: string) => parts.keeps(key),
      fire: (key: string) => parts.begin(resolveAny(app, TIMERS, key, FIRE), ""),
      declare: (key: string, input: string) => parts.begin(resolveAny(app, TIMERS, key, DECLARE), input),
      commit: (writes: readonly Write[]) => parts.commit(writes),
      isSent: (letter: Letter) => this.#outbox.has(letter),
      send: (letters: readonly Letter[]) => parts.commit(messageWrites(letters, () => this.nextId())),
    };
  }

  #expiryOwner() {
    const { owner, parts } = { owner: this.#owner, parts: this.#parts };
    return {
      get now() {
        return owner.now;
      },
      keeps: (key: string) => parts.keeps(key),
      expire: (service: ServiceDefinition, key: string) => parts.begin(expiryTarget(service, key), ""),
    };
  }

  #runner(): OutsideRunner {
    const owner = this.#owner;
    return new OutsideRunner(this.#app.effects, {
      get now() {
        return owner.now;
      },
      run: (call) => owner.emit({ kind: "run-outside", call }),
      kept: (id) => this.#outbox.find(id),
      isNew: (id) => id.startsWith(messageId(owner.self, owner.incarnation, 0).slice(0, NEW_LENGTH)),
      // The end of a flow that was taken out of it, with what waited there.
      isDropped: ({ sender }, { to }) =>
        to?.service === EGRESS && !awaits(this.#committed.get(sender, sender), to.about ?? ""),
      keep: (message) => {
        this.#parts.commit([keptWrite(message)]);
        this.#outbox.replace(message);
      },
      over: (message, work, end) => this.#over(message, work, end),
      failed: (message, notBefore) => {
        this.#parts.commit([keptWrite(message)]);
        this.#outbox.postpone(message, notBefore);
      },
      postpone: (id, until) => {
        const message = this.#outbox.find(id);
        if (message) this.#outbox.postpone(message, until);
      },
      report: (message) => owner.emit({ kind: "report", level: "error", message }),
    });
  }

  /** An effect is over: in one turn it is forgotten and its outcome kept, as a message of its own. */
  #over(message: Message, { to }: Work, end: OutsideEnd): void {
    this.#outbox.take(message.requestId);
    const id = outcomeId(message.requestId);
    // Behind an id that says since when it waits: whom it tells may end whoever runs it.
    const told = to === null ? [] : [{ ...outcomeLetter(message.sender, to, end), id }];
    this.#parts.commit([deliveredWrite(message), ...messageWrites(told, () => this.nextId())]);
  }

  /** An attempt of an effect has ended. */
  outsideEnded(id: string, end: OutsideEnd): void {
    this.#outside.ended(id, end);
  }

  /** Some more of what is stored. What is damaged ends that and nothing else; a start is told. */
  #loadOn(): void {
    try {
      this.#load();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#loading.stop(error);
    }
  }

  /** @throws TidegateError `damaged-data` */
  #load(): void {
    for (const message of this.#loading.next(LIMITS.messagesPerTurn)) if (this.#isHere(message)) this.#add(message);
  }

  /**
   * Key groups have come or gone: with them those whose sender, or target where they come from outside, is in them. There may be many of either, so
   * that all are looked at anew.
   */
  remap(isHere: (message: Message) => boolean): void {
    this.#isHere = isHere;
    this.#countOn();
    this.#outbox = this.#emptyOutbox();
    this.#loading = new Loading(this.#committed);
    this.#loadOn();
    // Should this instance be lost before it has come to those that are kept here.
    if (this.#loading.isUnderWay) this.#wantAlarm();
    this.#timers.remap();
    this.#expiry.remap();
    this.#declaring.remap();
    this.#lostTicks.remap();
  }

  /**
   * Ids are counted on from the present time whenever other keys are here: in a restored domain a partition that the backup is not of may have had a
   * namesake before the backup, of the same incarnation. What that has sent is done, and says so under its ids.
   */
  #countOn(): void {
    this.#ids = Math.max(this.#ids, this.#owner.now * IDS_PER_MS);
  }

  nextId(): string {
    return messageId(this.#owner.self, this.#owner.incarnation, ++this.#ids);
  }

  /** Ids may be the same in other domains, two that the same backup was restored into among them: outside nothing tells these from those. */
  nextEffectKey(): string | undefined {
    const { nonce } = this.#parts;
    return nonce === undefined ? nonce : `${nonce}-${++this.#effectKeys}`;
  }

  /** @param at when it is due; ms since 1970 */
  nextDelayedId(at: number): string {
    return timerId(at, this.#owner.self, this.#owner.incarnation, ++this.#ids);
  }

  /** Keeps a message that was sent from outside; its transaction comes later. Returns its id. */
  accept({ target, input, due }: Root): string {
    const { name, key, service } = target;
    const letter = { sender: "", service: service.contract.name, key, name, input, coded: false };
    if (due === 0) {
      const id = this.nextId();
      this.#parts.commit(messageWrites([letter], () => id));
      return id;
    }
    const id = this.nextDelayedId(due);
    this.#parts.commit(indexed([timerWrite(key, id, letter)]));
    return formatMessageId({ id, key });
  }

  /** These writes are committed: messages among them are to be delivered. */
  committed(writes: readonly Write[]): void {
    for (const write of writes) {
      const message = messageOf(write);
      if (message && !this.#loading.isAhead(message)) this.#add(message);
    }
    this.#timers.committed(writes);
    this.#expiry.committed(writes);
  }

  /** These will be stored and decided later: whoever has them then may be another instance. */
  undecided(writes: readonly Write[]): void {
    if (writes.some((write) => keepsMessage(write) || keepsTimer(write))) this.#wantAlarm();
  }

  #add(message: Message): void {
    this.#outbox.add(message, isSuspicious(message, this.#owner.self, this.#owner.incarnation));
    this.#wantAlarm();
  }

  /** Should this instance be lost, nobody else may ever wake the next one to deliver what it keeps. */
  #wantAlarm(): void {
    this.#alarm.want(this.#owner.now + LIMITS.alarmMs);
  }

  /** The alarm has rung. */
  alarm(isPending: boolean): void {
    this.#alarm.rung();
    if (isPending) this.#wantAlarm();
  }

  /** Starts firing what is due. */
  fire(): void {
    this.#declaring.start();
    this.#timers.fire();
    if (!this.#loading.isUnderWay) this.#lostTicks.start();
  }

  /** All that is committed is in records, or will be in this turn: the alarm is set for what is due first, a delayed message or state that expires. */
  arm(): void {
    const nextAt = Math.min(this.#timers.nextAt, this.#expiry.alarmAt, this.#outbox.wakeAt);
    // What is due and cannot fire now is looked at again anyway: an alarm for it would ring without end.
    if (nextAt <= this.#owner.now) this.#wantAlarm();
    else if (nextAt < Infinity) this.#alarm.want(nextAt);
  }

  /**
   * Hands a message to the partition of its target. To another one it leaves when its row is durable; one of this partition waits for the next
   * flush, by which its row is: should it end this instance, the next is to find it and not what it came of, which would only make it anew.
   */
  #post(message: Message, how: Try): void {
    if (isOutside(message)) return this.#outside.start(message);
    const peer = this.#owner.partitionOf(message.key);
    if (peer === this.#owner.self) return void this.#here.set(message.requestId, how);
    this.#posts = true;
    this.#owner.send(peer, { ...message, kind: "post", ...asTry(how) });
  }

  /** Those that are kept still. */
  #runHere(): void {
    const here = [...this.#here];
    this.#here.clear();
    for (const [requestId, how] of here) {
      const message = this.#outbox.find(requestId);
      if (message) this.#parts.run({ ...message, ...asTry(how) });
    }
  }

  /**
   * What is sent may hand over messages. An instance that has been replaced must not: its successor may have told their targets that they can
   * forget what has become of them.
   */
  get handsOver(): boolean {
    return this.#posts && this.#outbox.size > 0;
  }

  /** Tells who ran what is forgotten here. The key of each is where it was: else an era has begun since, and nothing was under way. */
  #tellForgotten(): void {
    const byPeer = new Map<Peer, string[]>();
    for (const { key, requestId } of this.#forgotten.splice(0)) {
      const peer = this.#owner.partitionOf(key);
      const ids = byPeer.get(peer);
      if (ids) ids.push(requestId);
      else byPeer.set(peer, [requestId]);
    }
    for (const [peer, ids] of byPeer) {
      if (peer === this.#owner.self) this.#parts.settle(ids);
      else this.#send(peer, ids);
    }
  }

  #send(peer: Peer, requestIds: readonly string[]): void {
    for (let at = 0; at < requestIds.length; at += LIMITS.maxSettledPerMessage) {
      const some = requestIds.slice(at, at + LIMITS.maxSettledPerMessage);
      this.#owner.send(peer, { kind: "settled", requestIds: some });
    }
  }

  /** What brings a dead letter to its list is not given up itself. */
  #attemptsOf(service: string): number {
    if (service === DEAD) return Infinity;
    return this.#app.services.get(service)?.messageAttempts ?? LIMITS.messageAttempts;
  }

  /** Sends it to the list of its service, tells a saga that goes on by it, and forgets it: in one commit. */
  #bury(message: Message): void {
    const letters = [burial(message, message.tries ?? [], this.#owner.now), ...sagaLetters(this.#app, message)];
    this.#parts.commit([deliveredWrite(message), ...messageWrites(letters, () => this.nextId())]);
    this.#forgotten.push(message);
  }

  /**
   * Forgets messages from a key, and to it, that are not delivered. Returns how many there were, and are: 0 when none is left.
   * @throws TidegateError `damaged-data` where messages cannot be read: some may be of that key
   */
  erase(gone: Erased): number {
    this.#loading.check();
    const { erased, pending } = this.#outbox.erase((message) => concernsErased(message, gone));
    if (erased.length > 0) this.#parts.commit(erased.map(deliveredWrite));
    // Of those that are not in memory yet it has to be asked again.
    return erased.length + pending + Number(!this.#loading.isDone);
  }

  /** A message that ran here has its answer, or cannot run now. */
  ran(to: Peer, requestId: string, ending: Ending): void {
    const { done } = ending;
    if (this.#timers.fired(requestId, done) || this.#declaring.ended(requestId, done)) return;
    if (this.#expiry.ended(requestId, done)) return;
    this.#toTell.push({ to, requestId, ending });
  }

  posted({ requestId, ...ending }: Omit<PostedMessage, "kind">): void {
    this.#outbox.posted(requestId, ending);
  }

  /** All that was committed and all that ran is durable by now, or by the time this leaves. */
  release(): void {
    this.#tellForgotten();
    this.#loadOn();
    // Whose effects they are is known when all are here that will be.
    if (!this.#loading.isUnderWay) this.#outside.settle();
    this.#runHere();
    this.#outbox.release();
    const told = this.#toTell;
    this.#toTell = [];
    for (const { to, requestId, ending } of told) {
      if (to === this.#owner.self) this.#outbox.posted(requestId, ending);
      else this.#owner.send(to, { kind: "posted", requestId, ...ending });
    }
  }

  /** An era or an instance has ended, and with it what was under way. */
  restart(): void {
    this.#outbox.restart();
  }

  /** The instance of a partition that was known is no more. */
  peerLost(peer: Peer): void {
    this.#outbox.targetLost(({ key }) => this.#owner.partitionOf(key) === peer);
    this.#outbox.restart();
  }

  tick(): void {
    this.#outbox.tick(this.#owner.now);
    this.#expiry.tick();
  }

  /** Whether a flush has something to release. */
  wantsFlush(isUp: boolean): boolean {
    if (!isUp) return false;
    const isLooking = this.#loading.isUnderWay || this.#timers.isLooking;
    const isHanding = this.#toTell.length > 0 || this.#here.size > 0 || this.#outbox.hasReady;
    return isHanding || this.#outside.hasEnded || isLooking;
  }

  get isFull(): boolean {
    return this.#outbox.isFull;
  }

  isFullOf(effect: string): boolean {
    return this.#outbox.isFullOf(effect);
  }

  /** Something must go on even if nothing comes from outside. */
  get isPending(): boolean {
    const { isPending } = this.#expiry;
    const isPosting = this.#outbox.isAwake || this.#loading.isUnderWay;
    return isPending || isPosting || this.#timers.isPending || this.#declaring.isPending;
  }

  /** How soon to look again while something is pending: exactly when a delayed message is due, if that is first. */
  get tickMs(): number {
    const left = this.#timers.nextAt - this.#owner.now;
    return left > 0 ? Math.min(left, LIMITS.tickMs) : LIMITS.tickMs;
  }

  /** Delayed messages that are known of in memory: 0 when there are none. */
  get timers(): number {
    return this.#timers.size;
  }

  get kinds(): Outbox["kinds"] {
    return this.#outbox.kinds;
  }

  /** Messages that are not delivered, as far as they are in memory; not 0 while some may not be. */
  get size(): number {
    return this.#outbox.size + Number(!this.#loading.isDone);
  }
}

/** What a try is to its message. */
function asTry(how: Try): { readonly last: boolean; readonly giveUp: boolean } {
  return { last: how !== "one", giveUp: how === "give-up" };
}
