/**
 * Delivery of committed one-way messages: exactly once each, and in order for each sender and target. One of a channel is under way at a
 * time, so one that fails holds up those behind it, and nobody else.
 */
import { LIMITS } from "../limits.ts";
import { isOutcomeId, isOutside } from "../outside/work.ts";
import { decodeError, type Ending, type FailedTry } from "./ending.ts";
import { DEAD } from "./dead-letter.ts";
import { OutboxLoad } from "./load.ts";
import { lostTry, spread, Suspects } from "./suspects.ts";
import type { Message } from "./message.ts";
import type { Letter } from "./posting.ts";

/** `last`: a failure is final. `give-up`: it is not to run any more; if nobody knows what has become of it, it has failed for good. */
export type Try = "one" | "last" | "give-up";

export interface OutboxOwner {
  /** Hands a message to the partition of its target; the answer comes as `posted`, or never. */
  post(message: Message, how: Try): void;
  /** Asks the partition of its target whether it is still what it was: should it not be, `targetLost` follows. */
  probe(message: Message): void;
  /** It is delivered: forget it durably. */
  delivered(message: Message): void;
  /** It has failed once more: remember that durably. */
  failed(message: Message): void;
  /** It will never be delivered: put it among the dead letters, and forget it here, both or neither. */
  dead(message: Message): void;
  /** How often a message of this kind may fail. */
  attemptsOf(message: Message): number;
  now(): number;
}

interface Channel {
  readonly messages: Message[];
  /** When the first message was handed over, or is to be again; ms. */
  nextAt: number;
  failures: number;
  /** The first message is under way. */
  posted: boolean;
  /** When that was written down, by this instance; ms, 0 for not. */
  marked: number;
  /** Since then the partition of its target was asked whether it is still what it was. */
  probed: boolean;
  /** How often whoever ran it was lost, as far as this instance knows. */
  lost: number;
  /** The first message is to be forgotten, as soon as it is known that it has run or never will. */
  isErased: boolean;
}

export class Outbox {
  readonly #owner: OutboxOwner;
  readonly #channels = new Map<string, Channel>();
  readonly #channelOf = new Map<string, string>();
  readonly #load = new OutboxLoad();
  /** Channels whose first message may go as soon as it is durable. */
  readonly #ready = new Set<string>();
  readonly #suspects = new Suspects();
  /** Channels that are to wait for long, and when the first of them goes on. */
  readonly #asleep = new Set<string>();
  #wakeAt = Infinity;

  constructor(owner: OutboxOwner) {
    this.#owner = owner;
  }

  /**
   * A committed message; later ones of the same sender come later. One may come again: after a crash in the middle of a fold it is found in
   * the state, and once more when the epoch of its record is decided anew.
   */
  add(message: Message, isSuspicious = false): void {
    if (this.#channelOf.has(message.requestId)) return;
    if (isSuspicious) this.#suspects.add(message.requestId);
    const name = channelName(message);
    this.#channelOf.set(message.requestId, name);
    this.#load.add(message);
    const known = this.#channels.get(name);
    if (known) known.messages.push(message);
    else {
      this.#channels.set(name, {
        messages: [message],
        nextAt: 0,
        failures: 0,
        posted: false,
        marked: 0,
        probed: false,
        lost: 0,
        isErased: false,
      });
      this.#ready.add(name);
    }
  }

  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** Hands over what may go. Everything committed is durable, or is by the time this leaves. */
  release(): void {
    const ready = [...this.#ready];
    this.#ready.clear();
    for (const name of ready) {
      const channel = this.#channels.get(name);
      if (channel) this.#post(name, channel);
    }
  }

  #post(name: string, channel: Channel): void {
    const [message] = channel.messages;
    if (!message) return;
    if (channel.isErased) return this.#handOver(channel, message, "give-up");
    if (message.begun === true && channel.marked === 0) return this.#lost(name, channel);
    const left = this.#owner.attemptsOf(message) - (message.tries?.length ?? 0);
    if (left > 0 && this.#suspects.has(message) && channel.marked === 0) return this.#mark(name, channel);
    if (channel.marked > 0 && !channel.probed) return this.#probe(channel);
    this.#handOver(channel, message, left <= 0 ? "give-up" : left === 1 ? "last" : "one");
  }

  #handOver(channel: Channel, message: Message, how: Try): void {
    channel.posted = true;
    channel.nextAt = this.#owner.now() + LIMITS.repostMs;
    this.#owner.post(message, how);
  }

  /**
   * Writes down that it is tried, before it is: alone, so that it is known whose fault it is when whoever runs it is lost. It is tried some time later:
   * what runs here is behind no gate, and may end this instance before the write is confirmed.
   */
  #mark(name: string, channel: Channel): void {
    const [message] = channel.messages as [Message];
    // Whatever was under way went with the instance that it was handed to: should the target's be lost before the try begins, it is not the reason.
    channel.posted = false;
    channel.nextAt = this.#owner.now() + LIMITS.suspectPauseMs;
    if (!this.#suspects.enter(name)) return;
    channel.marked = this.#owner.now();
    channel.probed = false;
    channel.messages[0] = { ...message, begun: true };
    this.#owner.failed(channel.messages[0]);
  }

  /** Behind the mark: an instance that was lost long ago is not to be taken for one that was lost with the try. */
  #probe(channel: Channel): void {
    channel.probed = true;
    channel.nextAt = this.#owner.now() + LIMITS.suspectProbeMs;
    this.#owner.probe(channel.messages[0] as Message);
  }

  /** The try is over, or takes so long that others need not wait for its end. */
  #unmark(name: string): void {
    const next = this.#suspects.leave(name);
    if (next !== undefined) this.#ready.add(next);
  }

  /** Whoever ran it is no more. */
  #lost(name: string, channel: Channel): void {
    this.#unmark(name);
    this.#again(channel, this.#tried(channel, lostTry(this.#owner.now())));
    channel.nextAt += spread(channel.messages[0] as Message);
  }

  #again(channel: Channel, message: Message | undefined): void {
    if (message) this.#owner.failed(message);
    Object.assign(channel, { posted: false, marked: 0, failures: channel.failures + 1 });
    channel.nextAt = this.#owner.now() + Math.min(LIMITS.repostMs * 2 ** (channel.failures - 1), LIMITS.repostMaxMs);
  }

  /** What became of a try at a message. */
  posted(requestId: string, { done, dead, error }: Ending): void {
    const name = this.#channelOf.get(requestId);
    const channel = name === undefined ? undefined : this.#channels.get(name);
    if (name === undefined || !channel || channel.messages[0]?.requestId !== requestId || !channel.posted) return;
    this.#unmark(name);
    const tried = this.#tried(channel, error === "" ? undefined : decodeError(error, this.#owner.now()));
    if (!done && !dead) return this.#again(channel, tried);
    const isForgotten = done || channel.isErased;
    const message = channel.messages.shift() as Message;
    this.#gone(message);
    if (isForgotten) this.#owner.delivered(message);
    else this.#owner.dead(message);
    this.#next(name, channel);
  }

  #gone(message: Message): void {
    this.#load.remove(message);
    this.#channelOf.delete(message.requestId);
    this.#suspects.forget(message.requestId);
  }

  /** Its first message has gone. */
  #next(name: string, channel: Channel): void {
    Object.assign(channel, { posted: false, marked: 0, failures: 0, lost: 0, nextAt: 0, isErased: false });
    if (channel.messages.length === 0) return this.#drop(name);
    this.#unmark(name);
    this.#ready.add(name);
  }

  /** The message, if it is here and the first of its channel. */
  find(requestId: string): Message | undefined {
    const [first] = this.#channels.get(this.#channelOf.get(requestId) ?? "")?.messages ?? [];
    return first?.requestId === requestId ? first : undefined;
  }

  /** One of this sender and target is not delivered yet. */
  has(letter: Letter): boolean {
    return this.#channels.has(channelOf(letter));
  }

  /** Forgets the only message of its channel: it is settled otherwise than by being delivered. */
  take(requestId: string): void {
    const name = this.#channelOf.get(requestId) ?? "";
    const channel = this.#channels.get(name);
    const message = this.find(requestId);
    if (!channel || !message || channel.messages.length > 1) return;
    this.#gone(message);
    this.#drop(name);
  }

  #drop(name: string): void {
    this.#unmark(name);
    this.#channels.delete(name);
    this.#ready.delete(name);
    this.#asleep.delete(name);
  }

  /** Puts a message, as it is now, in the place of what it was, if it is the first of its channel. */
  replace(message: Message): void {
    const first = this.find(message.requestId);
    const channel = this.#channels.get(this.#channelOf.get(message.requestId) ?? "");
    if (!channel || !first) return;
    channel.messages[0] = message;
    this.#load.remove(first);
    this.#load.add(message);
  }

  /** Hands the first message of its channel over again, at this time, as it is then. */
  postpone(message: Message, until: number): void {
    const name = this.#channelOf.get(message.requestId) ?? "";
    const channel = this.#channels.get(name);
    if (!channel || !this.find(message.requestId)) return;
    this.replace(message);
    channel.posted = false;
    channel.nextAt = until;
    if (until - this.#owner.now() <= LIMITS.timerAwakeMs) return;
    this.#asleep.add(name);
    this.#wakeAt = Math.min(this.#wakeAt, until);
  }

  /** Some channel needs this instance soon. Those that are to wait for long do not: an alarm is set for the first of them. */
  get isAwake(): boolean {
    return this.#channels.size > this.#asleep.size || this.#wakeAt <= this.#owner.now();
  }

  /** When the first of those that wait for long goes on, at the latest; Infinity for none. */
  get wakeAt(): number {
    return this.#asleep.size > 0 ? this.#wakeAt : Infinity;
  }

  /** The first message with what has become of it; undefined when that changes nothing. */
  #tried(channel: Channel, failure: FailedTry | undefined): Message | undefined {
    const { begun, ...message } = (channel.messages as [Message])[0];
    if (failure === undefined && begun !== true) return undefined;
    const tries = failure === undefined ? message.tries : [...(message.tries ?? []), failure];
    channel.messages[0] = tries === undefined ? message : { ...message, tries };
    return channel.messages[0];
  }

  /**
   * Forgets these messages. One that may be under way, also by an instance before this, is given up first: what came of it later would be there again.
   * @returns those that are forgotten, and how many will be
   */
  erase(gone: (message: Message) => boolean): { readonly erased: readonly Message[]; readonly pending: number } {
    const erased: Message[] = [];
    let pending = 0;
    for (const [name, channel] of this.#channels) {
      const [first] = channel.messages as [Message];
      // Nothing waits for the end of an effect: who asked for it is told nothing.
      const isGivenUp = gone(first) && !isOutside(first);
      const stays = (message: Message): boolean => !gone(message) || (isGivenUp && message === first);
      const forgotten = channel.messages.filter((message) => !stays(message));
      for (const message of forgotten) this.#gone(message);
      erased.push(...forgotten);
      channel.messages.splice(0, Infinity, ...channel.messages.filter(stays));
      if (forgotten[0] === first) this.#next(name, channel);
      else if (isGivenUp) {
        pending += 1;
        // Who erases waits for it: not as long as one does that has failed.
        if (!channel.isErased || !channel.posted) this.#ready.add(name);
        channel.isErased = true;
      }
    }
    return { erased, pending };
  }

  /** What is under way may have died, with its era or with an instance: it is handed over again, and those that have it already say so. */
  restart(): void {
    for (const [name, channel] of this.#channels) if (channel.posted) this.#ready.add(name);
  }

  /** Those of which this is true were under way to an instance that is no more: one of them may be the reason. */
  targetLost(isTo: (message: Message) => boolean): void {
    for (const [name, channel] of this.#channels) {
      const [first] = channel.messages;
      if (!channel.posted || !first || isOutside(first) || first.service === DEAD || !isTo(first)) continue;
      channel.lost += 1;
      if (channel.marked > 0) this.#lost(name, channel);
      else if (channel.lost >= LIMITS.suspectRestarts) this.#suspects.add(first.requestId);
    }
  }

  /** Hands over again what failed or was never answered. */
  tick(now: number): void {
    for (const [name, channel] of this.#channels) {
      if (channel.nextAt > now || this.#ready.has(name)) continue;
      this.#asleep.delete(name);
      // It does not answer: others need not wait for that.
      if (channel.marked > 0 && now - channel.marked >= LIMITS.suspectMs) this.#unmark(name);
      this.#post(name, channel);
    }
    if (this.#wakeAt > now) return;
    this.#wakeAt = Infinity;
    for (const name of this.#asleep) {
      this.#wakeAt = Math.min(this.#wakeAt, this.#channels.get(name)?.nextAt ?? Infinity);
    }
  }

  get size(): number {
    return this.#channelOf.size;
  }

  /** Of these, effects that are not over, and messages that are tried one at a time since they may end whoever runs them. */
  get kinds(): { readonly effects: number; readonly suspected: number } {
    return { effects: this.#load.effects, suspected: this.#suspects.size };
  }

  /** There is no room for new messages. */
  get isFull(): boolean {
    return this.#load.isFull;
  }

  /** There is no room for new effects of this name. */
  isFullOf(effect: string): boolean {
    return this.#load.isFullOf(effect);
  }
}

/** What comes from outside has no order, so that nobody's message waits for a stranger's; nor have effects and their outcomes. */
function channelName(message: Message): string {
  const { requestId, sender } = message;
  const alone = sender === "" || isOutside(message) || isOutcomeId(requestId);
  return alone ? requestId : channelOf(message);
}

function channelOf({ sender, service, key }: Letter): string {
  return JSON.stringify([sender, service, key]);
}
