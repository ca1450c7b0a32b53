/**
 * Partitions and a coordinator in memory. Nothing is random and nothing happens by itself: batches wait on the network until the test
 * delivers them, flushes, dispatches and work follow each delivery, folds and wakes come when the test says so, time stands still otherwise.
 */
import { ClockSetBack } from "../../../protocol/clock.ts";
import { countOf, generationOf } from "../../../protocol/epochs/epoch.ts";
import type { PeerFormat } from "../../../protocol/wire/codec.ts";
import { initialMap, partitionOfHash } from "../../../protocol/keygroups/map.ts";
import type { AdminAsk, AdminReply } from "../../../protocol/backup/asks.ts";
import type { StorageOp, ViewRequest } from "../../../protocol/partition/effects.ts";
import { decodeBatch } from "../../../protocol/wire/codec.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { COORDINATOR, type Epoch, type Peer, type PeerMessage } from "../../../protocol/wire/messages.ts";
import { type AppDefinition, defineApp, type FlowDefinition, type ServiceDefinition } from "../../../sdk/index.ts";
import { MapStore } from "../../../sim/map-store.ts";
import type { Place, Step } from "../../../sim/program.ts";
import { programServices } from "../../../sim/program-services.ts";
import type { Reply } from "../../../sim/partition.ts";
import { clientId } from "./ingest-frame.ts";
import { nameOn } from "./names-on.ts";
import { CoordinatorNode, type CoordinatorStored } from "./cluster-coordinator.ts";
import { DamagedNode, type Instance, type NodeHost, PartitionNode } from "./cluster-node.ts";
import { type Answered, answersOf, kernels } from "./lone-partition.ts";

/** A batch on its way. */
export interface Batch {
  readonly from: Instance;
  readonly to: Peer;
  readonly batch: number;
  readonly bytes: Uint8Array;
  readonly era: Epoch;
  readonly messages: readonly PeerMessage[];
}

export interface Request {
  readonly id: string;
  /** Absent while there is none. */
  answer?: Answered;
  answers: number;
}

export type GivenInput =
  | { readonly kind: "invoke"; readonly frame: Uint8Array }
  | { readonly kind: "ingest"; readonly frame: Uint8Array }
  | { readonly kind: "view"; readonly query: ViewRequest };

export interface Asked {
  /** Else one of a client that no other request has. */
  readonly id?: string;
  readonly snapshot?: boolean;
  /** Of a snapshot. */
  readonly notBefore?: Epoch;
  /** Else `run`. */
  readonly name?: string;
}

/** The version of batches before the one that sole members came with. */
const BEFORE_SOLE: PeerFormat = 4;
const MAX_TURNS = 2_000;

export class Cluster implements NodeHost {
  readonly app: AppDefinition;
  readonly stores: MapStore[];
  readonly partitions: Array<PartitionNode | DamagedNode> = [];
  coordinator: CoordinatorNode;
  readonly #stored: CoordinatorStored = {};
  clock = 1_800_000_000_000;
  /** In the order in which they were sent. */
  net: Batch[] = [];
  /** Messages in the order in which they were delivered, as `0>1 call`; the coordinator is C. */
  log: string[] = [];
  failure: unknown;
  readonly #tickets = new Map<number, Request>();
  readonly #replies = new Map<number, Answered[]>();
  readonly #asks = new Map<number, (reply: Reply) => void>();
  #ticket = 0;
  #ids = 0;
  readonly #gates = new Map<number, Array<() => void>>();
  readonly #opened = new Set<number>();
  readonly #mapped: number | undefined;

  readonly #works: boolean;
  /** The coordinator's highest version of batches, where it is not the newest. */
  readonly #reads: PeerFormat | undefined;

  /**
   * @param services beside those of programs
   * @param mapped of the partitions so many are in the coordinator's key-group map at first, so that groups may move; true: all of them, but
   *   turns of work are not called, so that no move gets far. Without it nothing moves.
   */
  constructor(
    partitions: number,
    services: readonly ServiceDefinition[] = [],
    flows: readonly FlowDefinition[] = [],
    mapped: number | boolean = false,
    reads?: PeerFormat,
  ) {
    this.#reads = reads;
    this.#mapped = typeof mapped === "number" ? mapped : mapped ? partitions : undefined;
    this.#works = typeof mapped === "number";
    const programs = programServices((gate) => this.#pause(gate));
    this.app = defineApp({ services: [...programs, ...services], flows, partitions: 1 });
    this.stores = Array.from({ length: partitions }, () => new MapStore());
    this.coordinator = new CoordinatorNode(1, this.#stored, this, this.#mapped, this.#reads);
    for (let peer = 0; peer < partitions; peer++) this.#start(peer);
  }

  /** Everybody is up, and nothing is under way. */
  static async up(
    partitions: number,
    services: readonly ServiceDefinition[] = [],
    flows: readonly FlowDefinition[] = [],
    mapped: number | boolean = false,
  ): Promise<Cluster> {
    return new Cluster(partitions, services, flows, mapped).#up();
  }

  /** As {@link up}, with a coordinator whose code knows of no sole members: all epochs are prepared by its order, also a lone transaction's. */
  static async upOrdered(partitions: number): Promise<Cluster> {
    return new Cluster(partitions, [], [], false, BEFORE_SOLE).#up();
  }

  async #up(): Promise<this> {
    await this.turn();
    await this.run();
    this.log = [];
    return this;
  }

  #start(peer: Peer): void {
    const mapped = this.#mapped ?? this.stores.length;
    this.partitions[peer] = new PartitionNode(peer, mapped, this.stores[peer] as MapStore, this);
  }

  node(peer: Peer): PartitionNode {
    const node = this.partitions[peer];
    if (!(node instanceof PartitionNode)) throw new Error(`partition ${peer} is damaged`);
    return node;
  }

  /** A key of `pa` that is on this partition; others by number. */
  place(peer: Peer, number = 0): Place {
    return ["pa", nameOn(peer, this.stores.length, "k", number)];
  }

  partitionOf([, key]: Place): Peer {
    return partitionOfHash(initialMap(this.stores.length), kernels.hashKey(key));
  }

  /** Sends a program to the partition of its place; it has run as far as it comes without messages when this resolves. */
  async ask(
    place: Place,
    steps: readonly Step[],
    { id, snapshot = false, notBefore, name = "run" }: Asked = {},
  ): Promise<Request> {
    const request: Request = { id: id ?? clientId(++this.#ids), answers: 0 };
    const ticket = ++this.#ticket;
    this.#tickets.set(ticket, request);
    const bounded = notBefore === undefined ? 0 : INVOKE_FLAG.notBefore;
    const flags = INVOKE_FLAG.clientId | (snapshot ? INVOKE_FLAG.snapshot : 0) | bounded;
    const epoch = notBefore === undefined ? [0, 0] : [countOf(notBefore), generationOf(notBefore)];
    const fields = [request.id, place[0], place[1], name, JSON.stringify({ steps })];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, flags, ...epoch], fields });
    this.node(this.partitionOf(place)).engine.input({ kind: "invoke", ticket, frame });
    await this.turn();
    return request;
  }

  /** The number under a place, once all has settled. */
  async look(place: Place): Promise<unknown> {
    const request = await this.ask(place, [{ op: "read" }], { name: "look" });
    await this.run();
    return (JSON.parse(request.answer?.body ?? "null") as Array<{ n: number }> | null)?.[0]?.n;
  }

  /** Lets functions run, and performs what follows at once: flushes and dispatches. */
  async turn(): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.failure !== undefined) throw this.failure;
      const soon = this.#works ? (["flush", "work", "dispatch"] as const) : (["flush", "dispatch"] as const);
      const waiting = this.#instances.filter(({ wants }) => soon.some((kind) => wants.has(kind)));
      if (waiting.length === 0) return;
      for (const instance of waiting) {
        for (const kind of soon) instance.callBack(kind);
      }
    }
    throw new Error("a turn never ends");
  }

  get #instances(): Instance[] {
    return [this.coordinator, ...this.partitions];
  }

  /** Delivers the first batch on the way, or the first that this accepts. False when there is none. */
  async deliver(which: (batch: Batch) => boolean = () => true): Promise<boolean> {
    const at = this.net.findIndex(which);
    if (at < 0) return false;
    const [batch] = this.net.splice(at, 1) as [Batch];
    this.#arrive(batch);
    await this.turn();
    return true;
  }

  /** Hands something else than a program to a partition; the bytes of its answer are kept. */
  async give(peer: Peer, input: GivenInput): Promise<() => Answered[] | undefined> {
    const ticket = ++this.#ticket;
    this.node(peer).engine.input({ ...input, ticket });
    await this.turn();
    return () => this.#replies.get(ticket);
  }

  /** Asks a partition as the administration does; the answer is there at once. */
  async admin(peer: Peer, ask: AdminAsk): Promise<AdminReply | Uint8Array> {
    const ticket = ++this.#ticket;
    let answer: Reply | undefined;
    this.#asks.set(ticket, (reply) => (answer = reply));
    this.node(peer).engine.input({ kind: "admin", ticket, ask });
    await this.turn();
    if (answer === undefined) throw new Error(`${ask.op} is not answered`);
    return answer;
  }

  /** Brings a batch to an instance that has been replaced and lives on. */
  async stray(batch: Batch, replaced: Instance): Promise<void> {
    replaced.alive = true;
    this.net.splice(this.net.indexOf(batch), 1);
    this.#arrive(batch, replaced);
    await this.turn();
    replaced.alive = false;
  }

  #arrive(
    { from, to, batch, bytes, messages }: Batch,
    receiver: Instance = to === COORDINATOR ? this.coordinator : (this.partitions[to] as Instance),
  ): void {
    for (const { kind } of messages) this.log.push(`${nameOf(from.peer)}>${nameOf(to)} ${kind}`);
    const ticket = ++this.#ticket;
    receiver.input({ kind: "deliver", ticket, bytes });
    from.input({ kind: "sent", to, batch, incarnation: receiver.acknowledged.get(ticket) ?? null });
  }

  /** Delivers everything in order, also what is sent meanwhile, but not what this refuses; later batches of that channel wait behind it. */
  async run(refuse: (batch: Batch) => boolean = () => false): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const held = new Set<string>();
      const next = this.net.find((batch) => {
        const channel = `${batch.from.peer}>${batch.to}`;
        if (held.has(channel) || refuse(batch)) held.add(channel);
        return !held.has(channel);
      });
      if (!next) return;
      await this.deliver((batch) => batch === next);
    }
    throw new Error(`it never comes to rest: ${this.log.slice(-20).join(", ")}`);
  }

  /** Delivers everything up to the first batch with a message of this kind (of this direction), which stays on the way. */
  async until(kind: string, from?: Peer, to?: Peer): Promise<void> {
    await this.run(isOf(kind, from, to));
    if (!this.net.some(isOf(kind, from, to))) throw new Error(`no ${kind} comes: ${this.log.join(", ")}`);
  }

  /** Takes batches off the network; `net.push` brings them back as late mail. */
  take(which: (batch: Batch) => boolean): Batch[] {
    const taken = this.net.filter(which);
    this.net = this.net.filter((batch) => !taken.includes(batch));
    return taken;
  }

  /** Time passes: whoever wants to be woken is. */
  async pass(ms: number): Promise<void> {
    this.clock += ms;
    for (const instance of this.#instances) instance.callBack("wake");
    await this.turn();
  }

  /** Lets time pass and everything arrive until nothing is under way. */
  async settle(): Promise<void> {
    for (let round = 0; round < 100; round++) {
      await this.run();
      if (this.net.length === 0 && this.#instances.every(({ wants }) => !wants.has("wake"))) return;
      await this.pass(250);
    }
    throw new Error("it never settles");
  }

  async fold(peer: Peer): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS && this.node(peer).wants.has("fold"); turn++) this.node(peer).callBack("fold");
    await this.turn();
  }

  /** Its memory is lost; what it has sent stays on the way. */
  async restart(peer: Peer): Promise<void> {
    (this.partitions[peer] as Instance).alive = false;
    this.#start(peer);
    await this.turn();
  }

  /** It starts again and cannot read its storage. */
  async damage(peer: Peer): Promise<void> {
    (this.partitions[peer] as Instance).alive = false;
    this.partitions[peer] = new DamagedNode(peer, this.stores[peer] as MapStore, this);
    await this.turn();
  }

  async restartCoordinator(): Promise<void> {
    this.startsOver();
    await this.turn();
  }

  startsOver(): void {
    this.coordinator.alive = false;
    const generation = this.coordinator.incarnation + 1;
    this.coordinator = new CoordinatorNode(generation, this.#stored, this, this.#mapped, this.#reads);
  }

  /** Lets programs that `pause` at this gate go on, now and later. */
  async open(gate: number): Promise<void> {
    this.#opened.add(gate);
    for (const go of this.#gates.get(gate) ?? []) go();
    await this.turn();
  }

  #pause(gate: number): Promise<void> {
    if (gate === 0 || this.#opened.has(gate)) return Promise.resolve();
    return new Promise((resolve) => this.#gates.set(gate, [...(this.#gates.get(gate) ?? []), resolve]));
  }

  now(): number {
    return this.clock;
  }
  sends(from: Instance, to: Peer, batch: number, bytes: Uint8Array): void {
    const { era, messages } = decodeBatch(kernels, bytes);
    this.net.push({ from, to, batch, bytes, era, messages });
  }
  replied(ticket: number, reply: Reply): void {
    const asked = this.#asks.get(ticket);
    if (asked) return asked(reply);
    this.#replies.set(ticket, reply instanceof Uint8Array ? answersOf(reply).flat() : [{ ...reply, flags: 0 }]);
    const request = this.#tickets.get(ticket);
    if (!request) return;
    request.answers += 1;
    [request.answer] = answersOf(reply) as [Answered];
  }
  persisted(peer: Peer, ops: readonly StorageOp[]): void {
    if (ops.some(({ op }) => op === "record")) this.log.push(`${peer} record`);
  }
  failed(error: unknown, peer: Peer): void {
    if (error instanceof ClockSetBack) {
      this.log.push(`${peer} starts over`);
      (this.partitions[peer] as Instance).alive = false;
      this.#start(peer);
    } else this.failure ??= error;
  }
}

export function nameOf(peer: Peer): string {
  return peer === COORDINATOR ? "C" : String(peer);
}

export function isOf(kind: string, from?: Peer, to?: Peer): (batch: Batch) => boolean {
  return (batch) =>
    (from === undefined || batch.from.peer === from) &&
    (to === undefined || batch.to === to) &&
    batch.messages.some((message) => message.kind === kind);
}
