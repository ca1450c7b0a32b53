/** Ends of flows in the outside world: events are kept where the flow is, and delivered from there by effects, in batches. */

import { effect, type EffectContext, type EffectDefinition, type EffectOptions } from "../effect.ts";
import { misconfigured } from "../errors.ts";
import { exact } from "../exact.ts";
import {
  EGRESS_AT_A_TIME_MAX,
  QUEUE_BATCH_BYTES,
  QUEUE_BATCH_MESSAGES,
  QUEUE_MESSAGE_BYTES,
  QUEUE_MESSAGE_OVERHEAD,
  WEBHOOK_EVENTS_BYTES,
  WEBHOOK_EVENTS_MAX,
} from "../limits.ts";
import { checkKebab } from "../names.ts";
import type { QueueMessage } from "../queue.ts";
import type { Schema } from "../schema.ts";
import type { WebhookAllowance, WebhookResolver } from "../webhook/target.ts";
import { postSigned, webhookBody } from "../webhook/webhook.ts";
import type { Flow } from "./making.ts";
import type { EgressSink, FlowNode } from "./nodes.ts";

/** How events leave a flow. */
export interface EgressOptions extends Pick<EffectOptions<undefined, undefined>, "retries" | "timeout"> {
  /** Deliveries that may be under way at a time, 1 to 16. Default 1: then events leave in their order, and none before those behind which it comes. */
  readonly atATime?: number;
  /**
   * What becomes of a batch of events when too much waits for delivery: `abort-batch` refuses it with 503 and Retry-After, `dead-letter` sets what it
   * would give to this end aside, and the flow goes on. Default `abort-batch`.
   */
  readonly onFull?: "abort-batch" | "dead-letter";
}

export interface ToQueueOptions extends EgressOptions {
  /** Name of the queue's binding. */
  readonly binding: string;
}

export interface ToWebhookOptions extends EgressOptions {
  /** Where they go, or the binding that says it: https and a public host name, unless `allow` says more. */
  readonly url: string | { readonly binding: string };
  /** Name of the binding that has the secret, `whsec_…`, or several separated by spaces. */
  readonly secret: string;
  /** `type` in the body; else the name of this end. */
  readonly type?: string;
  /** Events in one webhook at most, 1 to 100; then `data` is their list. Without it each is posted by itself, and is `data`. */
  readonly batch?: number;
  readonly allow?: WebhookAllowance | ((env: EffectContext["env"]) => WebhookAllowance);
  /** Looks up host names, so that those of inner networks are refused. */
  readonly resolve?: WebhookResolver;
}

/** What an effect of an end of a flow is given: events as lines of JSON. */
export interface Delivery {
  readonly lines: string;
}

const DELIVERY: Schema<Delivery, Delivery> = {
  "~standard": { version: 1, vendor: "tidegate", validate: (value) => ({ value: value as Delivery }) },
};

interface Batching {
  sendBatch(messages: Iterable<{ readonly body: QueueMessage; readonly contentType: "json" }>): Promise<unknown>;
}

/** @throws TidegateError `misconfigured` */
export function queueSink(flow: Flow, input: FlowNode, name: string, options: ToQueueOptions): EgressSink {
  const { binding } = options;
  const what = `the queue "${name}" of flow "${flow.name}"`;
  if (typeof binding !== "string" || binding === "") throw misconfigured(`${what} has no binding`);
  const handler = async (ctx: EffectContext, { lines }: Delivery): Promise<void> => {
    const queue = ctx.env[binding] as Batching | undefined;
    // To be tried again: a deploy may bring it.
    if (typeof queue?.sendBatch !== "function") throw new Error(`there is no queue bound as ${binding}`);
    await queue.sendBatch(
      lines.split("\n").map((line, at) => ({
        body: { id: `${ctx.idempotencyKey}-${at}`, at: ctx.at, data: plain(line, input) },
        contentType: "json",
      })),
    );
  };
  return egressSink(what, flow, input, { name, to: "queue", target: binding, options }, handler, {
    events: QUEUE_BATCH_MESSAGES,
    bytes: QUEUE_BATCH_BYTES,
    eventBytes: QUEUE_MESSAGE_BYTES,
    overhead: QUEUE_MESSAGE_OVERHEAD,
  });
}

/** An event as a queue has it, whose messages are values: whole numbers beyond 2^53, which are no numbers of JavaScript's, are decimal texts, also in lists. */
function plain(line: string, node: FlowNode): unknown {
  const event = JSON.parse(line, exact) as Record<string, unknown>;
  makePlain(event, (name) => node.fields[name]?.kind === "float64");
  for (const [list, events] of Object.entries(event))
    if (Array.isArray(events))
      for (const each of events as Array<Record<string, unknown>>)
        makePlain(each, (name) => isDouble(node, list, name));
  return event;
}

/** @param double whether the field of this name is a double, however long its digits are */
function makePlain(event: Record<string, unknown>, double: (name: string) => boolean): void {
  for (const [name, value] of Object.entries(event))
    if (typeof value === "bigint") event[name] = double(name) ? Number(value) : value.toString();
}

/** Whether a field of the events in a list is a double, by whichever way the list came from its aggregate. */
function isDouble({ operator, inputs }: FlowNode, list: string, field: string): boolean {
  if (operator.kind === "aggregate") return inputs[0]?.fields[field]?.kind === "float64";
  const column = operator.kind === "map" ? operator.columns.find(({ name }) => name === list) : undefined;
  const from = column?.expression.op === "field" ? column.expression.name : list;
  return inputs.length > 0 && inputs.every((input) => isDouble(input, from, field));
}

/** @throws TidegateError `misconfigured` */
export function webhookSink(flow: Flow, input: FlowNode, name: string, options: ToWebhookOptions): EgressSink {
  const { url, secret, type = name, batch, allow, resolve } = options;
  const what = `the webhook "${name}" of flow "${flow.name}"`;
  const from = typeof url === "string" ? undefined : url?.binding;
  if (typeof url !== "string" && (typeof from !== "string" || from === ""))
    throw misconfigured(`${what} has no url: give an address, or { binding } that has it`);
  if (typeof secret !== "string" || secret === "")
    throw misconfigured(`${what} has no secret: name the binding that has it`);
  if (batch !== undefined && !(Number.isInteger(batch) && batch >= 1 && batch <= WEBHOOK_EVENTS_MAX))
    throw misconfigured(`the batch of ${what} is a whole number from 1 to ${WEBHOOK_EVENTS_MAX}`);
  const handler = async (ctx: EffectContext, { lines }: Delivery): Promise<void> => {
    const address = typeof url === "string" ? url : ctx.env[url.binding];
    if (typeof address !== "string" || address === "") throw new Error(`the address ${from} is not set`);
    const data = batch === undefined ? lines : `[${lines.replaceAll("\n", ",")}]`;
    await postSigned(ctx, { url: address, body: webhookBody(ctx, type, data), secret, allow, resolve });
  };
  const target = typeof url === "string" ? url : url.binding;
  return egressSink(what, flow, input, { name, to: "webhook", target, options }, handler, {
    events: batch ?? 1,
    bytes: WEBHOOK_EVENTS_BYTES,
    eventBytes: WEBHOOK_EVENTS_BYTES,
    overhead: 1,
  });
}

function egressSink(
  what: string,
  flow: Flow,
  input: FlowNode,
  end: Pick<EgressSink, "name" | "to" | "target"> & { readonly options: EgressOptions },
  handler: (ctx: EffectContext, delivery: Delivery) => Promise<void>,
  most: EgressSink["most"],
): EgressSink {
  const { name, to, target } = end;
  const { atATime = 1, onFull = "abort-batch", retries, timeout } = end.options;
  checkKebab(`the end of flow "${flow.name}"`, name);
  if (!Number.isInteger(atATime) || atATime < 1 || atATime > EGRESS_AT_A_TIME_MAX)
    throw misconfigured(`atATime of ${what} is a whole number from 1 to ${EGRESS_AT_A_TIME_MAX}`);
  if (onFull !== "abort-batch" && onFull !== "dead-letter")
    throw misconfigured(`onFull of ${what} is "abort-batch" or "dead-letter"`);
  const delivering = effect<Schema<Delivery, Delivery>>(name, {
    input: DELIVERY,
    handler,
    ...(retries === undefined ? {} : { retries }),
    ...(timeout === undefined ? {} : { timeout }),
  }) as EffectDefinition;
  return Object.freeze({ kind: "egress", name, input, to, target, effect: delivering, most, atATime, onFull });
}
