/** The way from one object to others: batches of messages as RPC, whose answer is the incarnation that received them. */
import { exports, RpcTarget } from "cloudflare:workers";
import type { Beside } from "../protocol/link/carrier.ts";
import { LIMITS } from "../protocol/limits.ts";
import { coordinatorName, type ObjectNamespace, partitionName, placedObject } from "../protocol/keygroups/names.ts";
import { COORDINATOR, type Peer } from "../protocol/wire/messages.ts";
import type { Placement } from "../sdk/door.ts";
import { platformTimers } from "./sandbox.ts";
import type { Usage } from "./usage.ts";

/** Every object that takes part in the protocol has this method. */
export interface PeerRpc {
  /** Opens a session: all calls in it are one request to the platform, and cost less than calls of the object itself. */
  peerSession(): PeerSession;
}

/** The answer to a batch: who received it, and a batch of its own that was about to leave for whoever sent that. */
export interface Answered {
  readonly incarnation: number;
  readonly batch: number;
  readonly bytes: Uint8Array;
}

export type Deliver = (bytes: Uint8Array, beside?: Beside) => Promise<number | Answered>;

/** What a peer calls within a session. That it is disposed of is not said here: programs that use our declarations may not know of that yet. */
export interface PeerSession {
  /**
   * Takes a batch of messages. Safe to call twice.
   * @param bytes none where nothing but receipts is told
   * @returns the incarnation that received it, or that and a batch for the caller
   * @throws when this instance or the sender's has been replaced, or there is no room
   */
  readonly deliver: Deliver;
}

export function peerSession(deliver: Deliver, usage: Usage): PeerSession {
  return new OpenedSession(deliver, usage);
}

class OpenedSession extends RpcTarget implements PeerSession {
  readonly #deliver: Deliver;
  readonly #usage: Usage;

  constructor(deliver: Deliver, usage: Usage) {
    super();
    this.#deliver = deliver;
    this.#usage = usage;
    usage.request(0);
    usage.begin();
  }

  /** The peer has closed it, or is gone. */
  [Symbol.dispose](): void {
    this.#usage.end();
  }

  deliver(bytes: Uint8Array, beside?: Beside): Promise<number | Answered> {
    return this.#deliver(bytes, beside);
  }
}

type SessionTarget = { deliver: Deliver } & Disposable;

/** A session as its caller has it: usable before it is open. */
type SessionStub = PromiseLike<SessionTarget> & { deliver: Deliver };

type Namespace = ObjectNamespace<{ peerSession(): SessionStub }>;

/** The domain that an object belongs to, and whose objects alone it speaks to. */
export interface OwnDomain {
  readonly tenant: string;
  readonly placement: Placement | undefined;
}

interface Session {
  readonly opened: SessionStub;
  /** ms since 1970. */
  readonly openedAt: number;
  usedAt: number;
  calls: number;
  /** No call begins in it any more; it is closed when the last has ended. */
  retired: boolean;
  /** Known once it is open: what is called by way of a promise is queued by the platform, also when that has long resolved. */
  target: SessionTarget | null;
}

/** An open session keeps both objects awake, and so billed: one that is not used for so long is closed. */
const SESSION_IDLE_MS = 1_000;

/**
 * A session leads to the instance that opened it: one that has been replaced since answers as before, and one that has vanished swallows every
 * call. Only a new session finds out who is there now, so a batch that is sent again, which is so much later, has another than before.
 */
const SESSION_MAX_MS = LIMITS.replyMs;

export class Peers {
  readonly #usage: Usage;
  readonly #domain: OwnDomain;
  readonly #sessions = new Map<Peer, Session>();
  #sweeping = false;

  constructor(usage: Usage, domain: OwnDomain) {
    this.#usage = usage;
    this.#domain = domain;
  }

  /** Resolves with the incarnation that received the batch, and what came with that; null when it is not known. Calls to one peer start in order. */
  async deliver(to: Peer, bytes: Uint8Array, beside: Beside): Promise<number | Answered | null> {
    const now = Date.now();
    const session = this.#session(to, now);
    session.usedAt = now;
    session.calls += 1;
    try {
      return await (session.target ?? session.opened).deliver(bytes, beside);
    } catch {
      // After an error of the platform a session is broken for good.
      this.#retire(to, session);
      return null;
    } finally {
      session.calls -= 1;
      this.#closeIfOver(session);
    }
  }

  #session(to: Peer, now: number): Session {
    const known = this.#sessions.get(to);
    // The clock may have been set back.
    if (known && Math.abs(now - known.openedAt) < SESSION_MAX_MS) return known;
    if (known) this.#retire(to, known);
    const opened = this.#object(to).peerSession();
    const session: Session = { opened, openedAt: now, usedAt: now, calls: 0, retired: false, target: null };
    this.#sessions.set(to, session);
    opened.then(
      (target) => {
        session.target = target;
        this.#closeIfOver(session);
      },
      () => undefined,
    );
    this.#sweepLater();
    return session;
  }

  #object(to: Peer): { peerSession(): SessionStub } {
    const { Partition, Coordinator } = exports as unknown as { Partition: Namespace; Coordinator: Namespace };
    const { tenant, placement } = this.#domain;
    return to === COORDINATOR
      ? placedObject(Coordinator, coordinatorName(tenant), placement)
      : placedObject(Partition, partitionName(tenant, to), placement);
  }

  /** No call begins in it from here on. Those that are under way end first: to close it could end them. */
  #retire(to: Peer, session: Session): void {
    if (this.#sessions.get(to) === session) this.#sessions.delete(to);
    session.retired = true;
    this.#closeIfOver(session);
  }

  #closeIfOver(session: Session): void {
    if (!session.retired || session.calls > 0) return;
    session.target?.[Symbol.dispose]();
    session.target = null;
  }

  #sweepLater(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#usage.begin();
    platformTimers.setTimeout(() => this.#sweep(), SESSION_IDLE_MS);
  }

  #sweep(): void {
    this.#sweeping = false;
    this.#usage.end();
    const now = Date.now();
    for (const [peer, session] of this.#sessions) {
      // The clock may have been set back.
      if (session.calls === 0 && Math.abs(now - session.usedAt) >= SESSION_IDLE_MS) this.#retire(peer, session);
    }
    if (this.#sessions.size > 0) this.#sweepLater();
  }
}
