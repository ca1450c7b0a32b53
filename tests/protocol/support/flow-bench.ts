/** Flows without partitions: their services over maps, with memory that can be lost and transactions that can be undone between any two batches. */
import type { Rows } from "../../../dataflow/columns/rows.ts";
import type { ShardStore } from "../../../dataflow/operators/store.ts";
import { fieldsRead } from "../../../dataflow/reads.ts";
import type { FlowContext, InternalHandler, InternalService } from "../../../protocol/flows/internal.ts";
import { type Aside, LATE } from "../../../protocol/flows/log.ts";
import type { FedResult } from "../../../protocol/flows/driver.ts";
import { decodePayload, encodePayload, type Payload, type RawJson } from "../../../protocol/flows/payload.ts";
import { flowServices } from "../../../protocol/flows/services.ts";
import type { AsideAsk } from "../../../protocol/flows/view.ts";
import type { Delivery } from "../../../sdk/flows/egress.ts";
import type { Outcome, Reply } from "../../../sdk/index.ts";
import { ShareTable, type TableState } from "../../../protocol/flows/table/table.ts";
import { compareKeys } from "../../../protocol/state/state-key.ts";
import { type AppDefinition, defineApp, type FlowDefinition, type ServiceDefinition } from "../../../sdk/index.ts";
import { decodeValue, encodeValue } from "../../../sdk/values.ts";
import { kernels } from "./lone-partition.ts";

/** Values and entries by service and key. */
type Entities = Map<string, { value: string | null; entries: Map<string, string> }>;

/** An effect, and whom its end is told. */
export interface Asked {
  readonly name: string;
  readonly lines: readonly string[];
  readonly to: Reply;
}

export class FlowBench {
  #app: AppDefinition;
  #services: ReadonlyMap<string, InternalService>;
  #entities: Entities = new Map();
  #tokens = 0;
  #waiting: Array<{ service: string; key: string; name: string; at: number }> = [];
  now = 1_000_000;
  /** How often each transaction is told that it was too large before. */
  tooLarge = (): number => 0;
  /** Services of flows that answer as older code does: late events of all parts so far, and of no flow behind them. */
  readonly older = new Set<string>();
  /** Effects that were asked for and have not ended. */
  asked: Asked[] = [];
  /** Events that sinks gave to streams, by stream, since they were last taken. */
  readonly given = new Map<string, unknown[]>();

  /** Services that flows ask; they have no state. */
  readonly #asked: ServiceDefinition[] = [];

  constructor(...flows: readonly FlowDefinition[]) {
    this.#app = defineApp({ services: [], flows });
    this.#services = this.#made();
  }

  static asking(service: ServiceDefinition, ...flows: readonly FlowDefinition[]): FlowBench {
    const bench = new FlowBench();
    bench.#asked.push(service);
    bench.deploy(...flows);
    return bench;
  }

  #made(): ReadonlyMap<string, InternalService> {
    return new Map(flowServices(this.#app, kernels).map((service) => [service.contract.name, service]));
  }

  /** The server's clock goes on, and what was to be called meanwhile is. Returns how much that was. */
  async pass(milliseconds: number): Promise<number> {
    this.now += milliseconds;
    for (let called = 0; ; called++) {
      const at = this.#waiting.findIndex((each) => each.at <= this.now);
      const [due] = at < 0 ? [] : this.#waiting.splice(at, 1);
      if (due === undefined) return called;
      await this.#call(due.service, due.key, due.name, { text: "" });
    }
  }

  /** All memory is lost; what is stored stays. */
  restart(): void {
    this.#services = this.#made();
  }

  /** The same storage under another version of the flows. */
  deploy(...flows: readonly FlowDefinition[]): void {
    this.#app = defineApp({ services: this.#asked, flows });
    this.restart();
  }

  /** Keys of some services are on partitions that have another version. */
  deployTo(services: readonly string[], ...flows: readonly FlowDefinition[]): void {
    const others = flowServices(defineApp({ services: [], flows }), kernels);
    const changed = others.filter(({ contract }) => services.includes(contract.name));
    this.#services = new Map([...this.#services, ...changed.map((each) => [each.contract.name, each] as const)]);
  }

  /** Operators whose state the present version would lose. */
  async drops(flow: string): Promise<unknown> {
    return (await this.status(flow))["drops"];
  }

  /** Runs something and undoes what it wrote: memory has seen it, storage has not. */
  async undone(what: () => Promise<unknown>): Promise<void> {
    const before: Entities = new Map(
      [...this.#entities].map(([key, { value, entries }]) => [key, { value, entries: new Map(entries) }]),
    );
    const waiting = [...this.#waiting];
    const asked = [...this.asked];
    const given = new Map([...this.given].map(([stream, events]) => [stream, [...events]]));
    await what();
    this.#entities = before;
    this.#waiting = waiting;
    this.asked = asked;
    this.given.clear();
    for (const [stream, events] of given) this.given.set(stream, events);
  }

  /** Takes a batch. Returns late events by flow. */
  async ingest(stream: string, events: readonly object[]): Promise<Record<string, number>> {
    const body = new TextEncoder().encode(events.map((event) => JSON.stringify(event)).join("\n"));
    const only = fieldsRead(this.#app, stream);
    const parsed = kernels.parseEvents(body, this.#app.streams.get(stream)?.columns ?? [], "ndjson", { only });
    if (!parsed.ok) throw new Error(`the test's events are wrong: ${parsed.fault.code}`);
    const answer = (await this.#call("#stream", stream, "take", { bytes: parsed.frame, text: "" })) as RawJson;
    return (JSON.parse(answer.text) as { late: Record<string, number> }).late;
  }

  async view(flow: string, view: string, rest: object = {}): Promise<unknown[]> {
    const text = JSON.stringify({ flow, view, limit: 1_000, ...rest });
    const answer = (await this.#call("#view", "any", "view", { text })) as RawJson;
    return (JSON.parse(answer.text) as { rows: unknown[] }).rows;
  }

  /** Late events. */
  async late(flow: string): Promise<unknown[]> {
    return (await this.aside(flow, LATE)).map(({ event }) => event);
  }

  /** What a flow has set aside. */
  async aside(flow: string, what: Aside, after = -1): Promise<Array<Readonly<Record<string, unknown>>>> {
    const text = JSON.stringify({ flow, what, after, limit: 1_000 } satisfies AsideAsk);
    const answer = (await this.#call("#view", "any", "aside", { text })) as RawJson;
    const { events } = JSON.parse(answer.text) as { readonly events: readonly string[] };
    return events.map((event) => JSON.parse(event) as Readonly<Record<string, unknown>>);
  }

  /** The effect asked for first ends. */
  async end(how: Outcome<undefined> = { ok: true, value: undefined }): Promise<void> {
    const [{ to }] = this.asked.splice(0, 1) as [Asked];
    const text = encodeValue({ ...how, about: to.about });
    await this.#call(to.service, to.key, to.name, { text });
  }

  async status(flow: string): Promise<Readonly<Record<string, unknown>>> {
    const answer = (await this.#call("#view", "any", "flow", { text: JSON.stringify({ flow }) })) as RawJson;
    return JSON.parse(answer.text) as Readonly<Record<string, unknown>>;
  }

  /** What a stream was given since this was last asked. */
  taken(stream: string): unknown[] {
    const events = this.given.get(stream) ?? [];
    this.given.delete(stream);
    return events;
  }

  /** Entries of all shares: what has been forgotten is not there. */
  get entries(): number {
    let count = 0;
    for (const [key, { value, entries }] of this.#entities) {
      if (!key.startsWith("#shard ") || value === null) continue;
      const { table } = decodeValue(value) as { table: TableState };
      const share = new ShareTable(storeOf(entries), table);
      for (const collection of ["b", "g", "k", "l", "m", "r", "t"])
        count += share.range(collection, { limit: 1_000_000 }).length;
    }
    return count;
  }

  /** Entries under all keys of an internal service, as they are stored. */
  keptBy(service: string): number {
    let count = 0;
    for (const [key, { entries }] of this.#entities) if (key.startsWith(`${service} `)) count += entries.size;
    return count;
  }

  async #call(service: string, key: string, name: string, input: object): Promise<Payload | RawJson> {
    const found = this.#services.get(service);
    const handler = found?.handlers[name] as unknown as InternalHandler | undefined;
    if (handler === undefined) throw new Error(`there is no ${service}.${name}`);
    const entity = this.#entities.get(`${service} ${key}`) ?? { value: null, entries: new Map<string, string>() };
    this.#entities.set(`${service} ${key}`, entity);
    if (service === "#stream" && name === "append") this.#keep(key, (input as Payload).rows);
    const context = new BenchContext(
      key,
      entity,
      this.now,
      () => `token-${++this.#tokens}`,
      (...asked) => this.#ask(...asked),
    );
    context.tooLarge = (most) => Math.min(most, this.tooLarge());
    context.later = (later, at) => void this.#waiting.push({ service, key, name: later, at });
    context.call = (contract, at) => answersOf(this.#asked, contract.name, at);
    context.effect = ({ name: effect }, input, to) => {
      const { lines } = input as Delivery;
      this.asked.push({ name: effect, lines: lines.split("\n"), to });
    };
    const answer = await handler(context, input as never);
    context.settle();
    return answer;
  }

  /** Half of the calls go by text, as between partitions. */
  async #ask(service: string, key: string, name: string, payload: Payload): Promise<Payload> {
    const far = this.#tokens % 2 === 0;
    const input = far ? decodePayload(encodePayload(payload)) : payload;
    let answer = (await this.#call(service, key, name, input)) as Payload;
    if (name === "feed" && this.older.has(service))
      answer = { head: { late: (answer.head as FedResult).late }, rows: [] };
    return far ? decodePayload(encodePayload(answer)) : answer;
  }

  #keep(stream: string, batches: readonly Rows[]): void {
    const list = this.given.get(stream) ?? [];
    const names = Object.keys(this.#app.streams.get(stream)?.fields ?? {});
    for (const rows of batches) for (let row = 0; row < rows.length; row++) list.push(rows.object(row, names));
    this.given.set(stream, list);
  }
}

/** Entries as a share finds them. */
export function storeOf(entries: Map<string, string>): ShardStore {
  return {
    get: (collection, at) => entries.get(`${collection}|${at}`) ?? null,
    put(collection, at, text) {
      if (text === null) entries.delete(`${collection}|${at}`);
      else entries.set(`${collection}|${at}`, text);
    },
    drop(collection, at) {
      if (!entries.delete(`${collection}|${at}`)) throw new Error(`${at} is dropped and is not there`);
    },
    range(collection, { from = "", to, limit, reverse = false }) {
      const found = [...entries]
        .filter(([full]) => full.startsWith(`${collection}|`))
        .map(([full, text]): [string, string] => [full.slice(collection.length + 1), text])
        .filter(([at]) => compareKeys(at, from) >= 0 && (to === undefined || compareKeys(at, to) < 0))
        .sort(([a], [b]) => compareKeys(a, b));
      return (reverse ? found.reverse() : found).slice(0, limit);
    },
  };
}

class BenchContext implements FlowContext {
  readonly key: string;
  readonly store: ShardStore;
  readonly ask: FlowContext["ask"];
  state: unknown;
  readonly #entity: { value: string | null; entries: Map<string, string> };
  readonly #now: number;
  readonly #token: () => string;

  constructor(
    key: string,
    entity: { value: string | null; entries: Map<string, string> },
    now: number,
    token: () => string,
    ask: FlowContext["ask"],
  ) {
    this.key = key;
    this.ask = ask;
    this.#entity = entity;
    this.#now = now;
    this.#token = token;
    this.state = entity.value === null ? undefined : decodeValue(entity.value);
    this.store = storeOf(entity.entries);
  }

  settle(): void {
    this.#entity.value = this.state === undefined ? null : encodeValue(this.state);
  }
  /** Of three partitions. */
  placeOf = (key: string): number => key.charCodeAt(key.length - 1) % 3;
  /** The last has older code. */
  takesShares = (place: number): boolean => place < 2;
  clear(): void {
    this.state = undefined;
    this.#entity.entries.clear();
  }
  now = (): number => this.#now;
  uuid = (): string => `${this.#token()}-0000-0000-0000-000000000000`;
  tooLarge: FlowContext["tooLarge"] = () => 0;
  later: FlowContext["later"] = () => none();
  call: FlowContext["call"] = () => none();
  try = (): never => none();
  send = (): never => none();
  effect: FlowContext["effect"] = () => none();
}

function answersOf(services: readonly ServiceDefinition[], name: string, key: string): ReturnType<FlowContext["call"]> {
  const service = services.find(({ contract }) => contract.name === name);
  if (service === undefined) return none();
  const handlers = Object.entries(service.handlers) as Array<[string, (ctx: unknown, input: unknown) => unknown]>;
  const answers = handlers.map(([each, handler]) => [each, async (input: unknown) => handler({ key }, input)]);
  return Object.fromEntries(answers) as ReturnType<FlowContext["call"]>;
}

function none(): never {
  throw new Error("there are no services here");
}
