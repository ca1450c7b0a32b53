/** The app under test, asked by requests as they would come over HTTP, and its partitions from the inside. */
import { exports } from "cloudflare:workers";
import { createExecutionContext, createMessageBatch, getQueueResult, runInDurableObject } from "cloudflare:test";
import { murmur3 } from "../../../core-wasm/reference/murmur3.ts";
import type { CoordinatorRpc } from "../../../durable/coordinator.ts";
import type { PartitionRpc } from "../../../durable/partition.ts";
import { initialMap, partitionOfHash } from "../../../protocol/keygroups/map.ts";
import { coordinatorName } from "../../../protocol/keygroups/names.ts";
import type { PartitionStatus } from "../../../protocol/partition/setup.ts";
import type { Place, Seen, Step } from "../../../sim/program.ts";
import app from "../../app/src/index.ts";
import { PARTITIONS } from "../../app/src/partitions.ts";

export { PARTITIONS };

const TOKEN = "test-token";
const map = initialMap(PARTITIONS);

type PartitionStub = DurableObjectStub & PartitionRpc;
interface QueueOutcome {
  readonly retryMessages: ReadonlyArray<{ readonly msgId: string }>;
}
interface Exports {
  readonly default: {
    fetch(url: string, init?: RequestInit): Promise<Response>;
  };
  readonly Partition: { getByName(name: string): PartitionStub };
  readonly Coordinator: { getByName(name: string): CoordinatorRpc };
}
const own = exports as unknown as Exports;

let keys = 0;
/** A key that no test has used. */
export function freshKey(): string {
  return `key-${++keys}`;
}

export function partitionOf(key: string): number {
  return partitionOfHash(map, murmur3(key));
}

/** Another fresh key of the same partition, or of another one. */
export function freshKeyNear(key: string, same: boolean): string {
  for (;;) {
    const other = freshKey();
    if ((partitionOf(other) === partitionOf(key)) === same) return other;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body. */
  readonly body: unknown;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? undefined : (JSON.parse(text) as unknown),
  };
}

/** As the administrator of the domain. */
export function admin(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: "Bearer admin-token", ...(init.headers as Record<string, string> | undefined) };
  return send(path, { ...init, headers });
}

export function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, ...(init.headers as Record<string, string> | undefined) };
  return own.default.fetch(`http://tidegate.example${path}`, { ...init, headers });
}

/** Delivers messages of a queue. */
export async function queue(name: string, messages: readonly object[]): Promise<QueueOutcome> {
  const batch = createMessageBatch(name, messages as never);
  const context = createExecutionContext();
  await app.queue?.(batch as never, { TIDEGATE_TOKEN: TOKEN }, context as never);
  return getQueueResult(batch, context);
}

/** POST of one invocation. */
export async function call(at: Place, name: string, input?: unknown, idempotencyKey?: string): Promise<Answer> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (idempotencyKey !== undefined) headers["idempotency-key"] = `"${idempotencyKey}"`;
  const path = `/v1/services/${at[0]}/${encodeURIComponent(at[1])}/${name}`;
  return answerOf(
    await send(path, { method: "POST", headers, body: input === undefined ? null : JSON.stringify(input) }),
  );
}

/** GET of a query. */
export async function ask(at: Place, name: string, input?: unknown, parameters = ""): Promise<Answer> {
  const shown = input === undefined ? "" : `input=${encodeURIComponent(JSON.stringify(input))}&`;
  return answerOf(await send(`/v1/services/${at[0]}/${encodeURIComponent(at[1])}/${name}?${shown}${parameters}`));
}

/** Runs a program as one transaction. */
export function run(at: Place, steps: readonly Step[], idempotencyKey?: string): Promise<Answer> {
  return call(at, "run", { steps }, idempotencyKey);
}

/** What a program's read shows of a place, by a query. */
export async function look(at: Place): Promise<Seen> {
  const { status, body } = await ask(at, "look", { steps: [{ op: "read" }] satisfies Step[] });
  if (status !== 200) throw new Error(`the look at ${at.join("/")} answered ${status} ${JSON.stringify(body)}`);
  return (body as readonly Seen[])[0] as Seen;
}

export interface LineResult {
  readonly line: number;
  readonly status: number;
  readonly result?: unknown;
  readonly problem?: { readonly type: string };
}

/** POST of a batch; the results in the order in which they came. */
export async function batch(
  lines: readonly unknown[],
  options: { ordered?: boolean; idempotencyKey?: string } = {},
): Promise<LineResult[]> {
  const headers: Record<string, string> = { "content-type": "application/x-ndjson" };
  if (options.idempotencyKey !== undefined) headers["idempotency-key"] = `"${options.idempotencyKey}"`;
  const body = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  const response = await send(`/v1/batch${options.ordered ? "?ordered=1" : ""}`, { method: "POST", headers, body });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`the batch answered ${response.status} ${text}`);
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as LineResult]));
}

export function stub(partition: number): PartitionStub {
  return own.Partition.getByName(`partition-${partition}`);
}

export function coordinator(): CoordinatorRpc {
  return own.Coordinator.getByName(coordinatorName(""));
}

/** Runs inside the object that keeps a key. */
export function inside<R>(key: string, what: (state: DurableObjectState) => R | Promise<R>): Promise<R> {
  return runInDurableObject(stub(partitionOf(key)), (_instance: DurableObject, state: DurableObjectState) =>
    what(state),
  );
}

export function statusOf(key: string): Promise<PartitionStatus> {
  return stub(partitionOf(key)).status();
}

/** What of every partition must be 0 when nothing runs. */
export async function leftovers(): Promise<number> {
  const all = await Promise.all(Array.from({ length: PARTITIONS }, (_, n) => stub(n).status()));
  return all.reduce((sum, { waiting, attempts, locks }) => sum + waiting + attempts + locks, 0);
}

/** The word after `/problems/` of a problem's type. */
export function problemOf(answer: { readonly body?: unknown }): string {
  const type = (answer.body as { type?: string } | undefined)?.type ?? "";
  if (!type.startsWith("/problems/")) throw new Error(`not a problem: ${JSON.stringify(answer.body)}`);
  return type.slice("/problems/".length);
}
