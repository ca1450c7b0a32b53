/** One-way messages of a partition: those that it keeps until they are delivered, and what became of those that it was given. */
import type { EffectDefinition } from "../../sdk/effect.ts";
import { LIMITS } from "../limits.ts";
import {
  deliveredWrite,
  keepsMessage,
  keptWrite,
  type Message,
  messageId,
  messageOf,
  messageWrites,
  storedMessages,
} from "../outbox/message.ts";
import { Outbox } from "../outbox/outbox.ts";
import { OutsideRunner } from "../outside/runner.ts";
import { isOutside, outcomeId, outcomeLetter, type OutsideEnd, type Work } from "../outside/work.ts";
import type { StateStore, Write } from "../state/store.ts";
import type { PartitionMessage, Peer, PostedMessage } from "../wire/messages.ts";
import type { Effect } from "./effects.ts";
import type { Root } from "./root.ts";

export interface MailOwner {
  readonly self: Peer;
  readonly incarnation: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  emit(effect: Effect): void;
  partitionOf(key: string): Peer;
  send(to: Peer, message: PartitionMessage): void;
}

export interface MailParts {
  /** Runs a message whose target is here. */
  run(message: Message): void;
  /** Commits changes of this partition's own. */
  commit(writes: readonly Write[]): void;
  readonly effects: ReadonlyMap<string, EffectDefinition>;
}

export class Mail {
  readonly #owner: MailOwner;
  readonly #parts: MailParts;
  readonly #outbox: Outbox;
  readonly #outside: OutsideRunner;
  readonly #committed: StateStore;
  #ids = 0;
  /** What became of messages that ran here, to be told once that is durable. */
  #toTell: Array<{ readonly to: Peer; readonly requestId: string; readonly done: boolean }> = [];
  #alarmWanted = false;

  constructor(owner: MailOwner, parts: MailParts, committed: StateStore) {
    this.#owner = owner;
    this.#parts = parts;
    this.#outbox = new Outbox({
      post: (message) => this.#post(message),
      delivered: (message) => parts.commit([deliveredWrite(message)]),
      now: () => owner.now,
    });
    this.#outside = this.#runner();
    this.#committed = committed;
    this.#addStored();
  }

  #runner(): OutsideRunner {
    const owner = this.#owner;
    const outbox = this.#outbox;
    return new OutsideRunner(this.#parts.effects, {
      get now() {
        return owner.now;
      },
      run: (call) => owner.emit({ kind: "run-outside", call }),
      kept: (id) => outbox.find(id),
      over: (message, work, end) => this.#over(message, work, end),
      failed: (message, notBefore) => {
        this.#parts.commit([keptWrite(message)]);
        outbox.postpone(message, notBefore);
      },
      postpone: (id, until) => {
        const message = outbox.find(id);
        if (message) outbox.postpone(message, until);
      },
      report: (message) => owner.emit({ kind: "report", level: "error", message }),
    });
  }

  /** An effect is over: in one turn it is forgotten and its outcome kept, as a message of its own. */
  #over(message: Message, { to }: Work, end: OutsideEnd): void {
    this.#outbox.take(message.requestId);
    const told = to === null ? [] : [outcomeLetter(message.sender, to, end)];
    const id = outcomeId(message.requestId);
    this.#parts.commit([deliveredWrite(message), ...messageWrites(told, () => id)]);
  }

  /** An attempt of an effect has ended. */
  outsideEnded(id: string, end: OutsideEnd): void {
    this.#outside.ended(id, end);
  }

  #addStored(): void {
    for (const message of storedMessages(this.#committed)) this.#add(message);
  }

  /** Key groups have come or gone: with them those whose sender, or target where they come from outside, is in them. */
  remap(isHere: (message: Message) => boolean): void {
    this.#addStored();
    this.#outbox.retain(isHere);
  }

  nextId(): string {
    return messageId(this.#owner.self, this.#owner.incarnation, ++this.#ids);
  }

  /** Keeps a message that was sent from outside; its transaction comes later. Returns its id. */
  accept({ target, input }: Root): string {
    const id = this.nextId();
    const { name, key, service } = target;
    const letter = { sender: "", service: service.contract.name, key, name, input, coded: false };
    this.#parts.commit(messageWrites([letter], () => id));
    return id;
  }

  /** These writes are committed: messages among them are to be delivered. */
  committed(writes: readonly Write[]): void {
    for (const write of writes) {
      const message = messageOf(write);
      if (message) this.#add(message);
    }
  }

  /** These will be stored and decided later: whoever has them then may be another instance. */
  undecided(writes: readonly Write[]): void {
    if (writes.some(keepsMessage)) this.#wantAlarm();
  }

  #add(message: Message): void {
    this.#outbox.add(message);
    this.#wantAlarm();
  }

  /** Should this instance be lost, nobody else may ever wake the next one to deliver what it keeps. */
  #wantAlarm(): void {
    if (this.#alarmWanted) return;
    this.#alarmWanted = true;
    this.#owner.emit({ kind: "alarm", inMs: LIMITS.alarmMs });
  }

  /** The alarm has rung. */
  alarm(isPending: boolean): void {
    this.#alarmWanted = false;
    if (isPending) this.#wantAlarm();
  }

  /** Hands a message to the partition of its target; to this one without a detour. */
  #post(message: Message): void {
    if (isOutside(message)) return this.#outside.start(message);
    const peer = this.#owner.partitionOf(message.key);
    if (peer === this.#owner.self) this.#parts.run(message);
    else this.#owner.send(peer, { ...message, kind: "post" });
  }

  /** Forgets messages from an entity, and to it by its service and key, that are not delivered. Returns how many. */
  erase(entity: string, service: string, key: string): number {
    const erased = this.#outbox.erase(
      (message) => message.sender === entity || (message.service === service && message.key === key),
    );
    if (erased.length > 0) this.#parts.commit(erased.map(deliveredWrite));
    return erased.length;
  }

  /** A message that ran here has its answer, or cannot run now. */
  ran(to: Peer, requestId: string, done: boolean): void {
    this.#toTell.push({ to, requestId, done });
  }

  posted({ requestId, done }: Omit<PostedMessage, "kind">): void {
    this.#outbox.posted(requestId, done);
  }

  /** All that was committed and all that ran is durable by now, or by the time this leaves. */
  release(): void {
    this.#outside.settle();
    this.#outbox.release();
    const told = this.#toTell;
    this.#toTell = [];
    for (const { to, requestId, done } of told) {
      if (to === this.#owner.self) this.#outbox.posted(requestId, done);
      else this.#owner.send(to, { kind: "posted", requestId, done });
    }
  }

  /** An era or an instance has ended, and with it what was under way. */
  restart(): void {
    this.#outbox.restart();
  }

  tick(): void {
    this.#outbox.tick(this.#owner.now);
  }

  /** Whether a flush has something to release. */
  wantsFlush(isUp: boolean): boolean {
    return isUp && (this.#toTell.length > 0 || this.#outbox.hasReady || this.#outside.hasEnded);
  }

  get isFull(): boolean {
    return this.#outbox.isFull;
  }

  /** Messages that are not delivered. */
  get size(): number {
    return this.#outbox.size;
  }
}
