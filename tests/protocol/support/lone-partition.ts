/** A partition whose requests are awaited: the real machine and engine over maps, which flushes, folds and confirms by itself. */
import type { AdminAsk } from "../../../protocol/backup/asks.ts";
import type { StorageOp, ViewReply } from "../../../protocol/partition/effects.ts";
import { ANSWER, ANSWER_COLUMN, ANSWER_FIELD } from "../../../protocol/wire/answer.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import type { OutsideCall } from "../../../protocol/outside/work.ts";
import { type AppDefinition, type AppOptions, defineApp, type ServiceDefinition } from "../../../sdk/index.ts";
import { type Reply, SimPartition } from "../../../sim/partition.ts";
import { createRandom } from "../../../sim/random.ts";
import { runEffect } from "../../../worker/effects/run.ts";
import { clientId, ingestFrame } from "./ingest-frame.ts";
import { kernels } from "./kernels.ts";

export { kernels };

export interface Row {
  readonly service: string;
  readonly key: string;
  readonly name: string;
  readonly input?: unknown;
  /** In its place, as it is. */
  readonly text?: string;
  /** Of what comes with the engine. */
  readonly internal?: boolean;
  /** A request id of 32 characters; else one of a client, as no other row has it. */
  readonly id?: string;
}
export interface Answered {
  readonly status: number;
  readonly flags: number;
  readonly body: string;
}

const MAX_TURNS = 10_000;

export class LonePartition {
  readonly partition: SimPartition;
  /** Of an attempt of an effect, whether it takes the partition along that has begun it. */
  kills: (call: OutsideCall) => boolean = () => false;
  /** Bindings that effects see. */
  env: Record<string, unknown> = {};
  /** Everything that became durable, in order. */
  readonly durable: StorageOp[] = [];
  /** By ticket, numbered from 1. */
  readonly replies = new Map<number, Answered[]>();
  readonly #viewed = new Map<number, ViewReply>();
  readonly #asked = new Map<number, Reply | null>();
  #app: AppDefinition;
  #tickets = 0;
  #ids = 0;

  /** Ends of attempts of effects that are to be told. */
  readonly #ends: Array<() => void> = [];
  #attempts = 0;

  constructor(services: readonly ServiceDefinition[], options: Omit<AppOptions, "services" | "partitions"> = {}) {
    this.#app = defineApp({ ...options, services, partitions: 1 });
    const current = (): AppDefinition => this.#app;
    this.partition = new SimPartition({
      get app() {
        return current();
      },
      kernels,
      random: createRandom(1),
      left: (ticket, reply) => {
        if (typeof reply === "object" && "epoch" in reply) this.#viewed.set(ticket, reply);
        if (this.#asked.has(ticket)) return void this.#asked.set(ticket, reply);
        this.replies.set(ticket, answersOf(reply));
      },
      durable: (ops) => void this.durable.push(...ops),
    });
  }

  /** From the next instance on the code is another. */
  async redeploy(
    services: readonly ServiceDefinition[],
    options: Omit<AppOptions, "services" | "partitions"> = {},
  ): Promise<void> {
    this.#app = defineApp({ ...options, services, partitions: 1 });
    this.partition.crash();
    await this.settle();
  }

  /** Sends rows as one frame; their answers in the order of the rows, or undefined while there are none. */
  async frame(rows: readonly Row[]): Promise<Answered[] | undefined> {
    const ticket = this.send(rows);
    await this.settle();
    return this.replies.get(ticket);
  }

  /** Sends rows as one frame and returns its ticket; nothing that follows later has happened. */
  send(rows: readonly Row[]): number {
    const ticket = ++this.#tickets;
    const flagsOf = ({ internal }: Row) => INVOKE_FLAG.clientId | (internal === true ? INVOKE_FLAG.internal : 0);
    const columns = rows.flatMap((row, index) => [index, flagsOf(row), 0, 0]);
    const fields = rows.flatMap(({ id, service, key, name, input, text }) => [
      id ?? clientId(++this.#ids),
      service,
      key,
      name,
      text ?? (input === undefined ? "" : JSON.stringify(input)),
    ]);
    this.partition.invoke(ticket, kernels.pack(INVOKE, { rows: rows.length, columns, fields }));
    return ticket;
  }

  /** Sends a batch of events, with the columns that are read. */
  async ingest(stream: string, events: readonly object[], only?: readonly string[]): Promise<Answered> {
    const ticket = ++this.#tickets;
    this.partition.ingest(ticket, ingestFrame(this.#app, stream, ++this.#ids, events, only));
    await this.settle();
    // Answers are by line, from 1.
    return this.replies.get(ticket)?.at(-1) ?? this.#failed("the batch");
  }

  /** The rows of a view that the window kernel keeps, or a problem. */
  async view(view: string): Promise<ViewReply> {
    const ticket = ++this.#tickets;
    const query = { view, key: undefined, limit: 1_000, after: undefined };
    this.partition.engine.input({ kind: "view", ticket, query });
    await this.settle();
    return this.#viewed.get(ticket) ?? this.#failed("the view");
  }

  /** Asks as the administration does. */
  async admin(ask: AdminAsk): Promise<Reply> {
    const ticket = ++this.#tickets;
    this.#asked.set(ticket, null);
    this.partition.engine.input({ kind: "admin", ticket, ask });
    await this.settle();
    return this.#asked.get(ticket) ?? this.#failed(ask.op);
  }

  #failed(what: string): never {
    throw new Error(`no answer to ${what}: ${String(this.partition.failure)}`);
  }

  /** Sends one row; throws when there is no answer. */
  async call(row: Row): Promise<Answered> {
    const [answer] = (await this.frame([row])) ?? [];
    if (!answer) throw new Error(`no answer to ${row.service}.${row.name}: ${String(this.partition.failure)}`);
    return answer;
  }

  async #run(call: OutsideCall): Promise<void> {
    this.#attempts += 1;
    const end = await runEffect(this.#app, call, this.env);
    this.#attempts -= 1;
    this.#ends.push(() => this.partition.outsideEnded(call.id, end));
  }

  /** Lets time pass in steps, and what happens in it. */
  async pass(ms: number, step = 250): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      this.partition.pass(Math.min(left, step));
      await this.settle();
    }
  }

  /** Lets everything happen that can without anybody from outside. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const call of this.partition.takeOutside()) {
        if (this.kills(call)) this.partition.crash();
        else void this.#run(call);
      }
      const moves = [...this.partition.moves(), ...this.#ends.splice(0)];
      if ((moves.length === 0 && this.#attempts === 0) || this.partition.failure !== undefined) return;
      for (const move of moves) move();
    }
    throw new Error("it never comes to rest");
  }
}

export function answersOf(reply: Reply): Answered[] {
  if (!(reply instanceof Uint8Array)) return [];
  const table = kernels.unpack(ANSWER, reply);
  const answers: Answered[] = [];
  for (let row = 0; row < table.rows; row++) {
    answers[table.column(row, ANSWER_COLUMN.line)] = {
      status: table.column(row, ANSWER_COLUMN.status),
      flags: table.column(row, ANSWER_COLUMN.flags),
      body: table.field(row, ANSWER_FIELD.body),
    };
  }
  return answers;
}
