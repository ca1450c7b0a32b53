/** Signed webhooks as effects (Standard Webhooks 1.0). */

import { effect, type EffectContext, type EffectDefinition, type EffectOptions } from "../effect.ts";
import { misconfigured } from "../errors.ts";
import { toJson } from "../json.ts";
import { WEBHOOK_HOPS_MAX } from "../limits.ts";
import type { Schema, SchemaOutput } from "../schema.ts";
import { signatureOf } from "./signature.ts";
import { checkTarget, type WebhookAllowance, type WebhookResolver, WebhookTargetError } from "./target.ts";

type Env = EffectContext["env"];

export interface WebhookOptions<In extends Schema> extends Pick<EffectOptions<In, undefined>, "retries" | "timeout"> {
  /** What the webhook tells, and whatever finds its address. */
  readonly input: In;
  /** Where it goes, for each webhook by itself; https and a public host name, unless `allow` says more. */
  readonly url: string | ((input: SchemaOutput<In>, env: Env) => string);
  /** Name of the binding that has the secret, `whsec_…`, or several separated by spaces, or which one it is for this input. */
  readonly secret: string | ((input: SchemaOutput<In>) => string);
  /** `type` in the body; else the effect's name. */
  readonly type?: string;
  /** `data` in the body; else the whole input. */
  readonly data?: (input: SchemaOutput<In>) => unknown;
  readonly allow?: WebhookAllowance | ((env: Env) => WebhookAllowance);
  /** Looks up host names, so that those of inner networks are refused: the platform's `fetch` does not say where it goes. */
  readonly resolve?: WebhookResolver;
}

/** What is told of a webhook that was taken. */
export interface Taken {
  /** Of the answer, from 200 to 299. */
  readonly status: number;
}

/** Gone: the receiver wants no more of these. */
const GONE = 410;

/**
 * Declares a webhook: an effect that posts `{"type", "timestamp", "data"}`, signed. Its id is the effect's, the same in every attempt.
 * Answers other than 2xx are tried again, but 410, and an address that is refused, fail for good. Redirects by 307 and 308 are followed a
 * few times, each address checked like the first.
 *
 * ```ts
 * import { webhook } from "tidegate";
 * import * as z from "zod";
 *
 * export const orderPaid = webhook("order-paid", {
 *   input: z.object({ url: z.string(), order: z.string(), cents: z.int() }),
 *   url: ({ url }) => url,
 *   data: ({ order, cents }) => ({ order, cents }),
 *   secret: "WEBHOOK_SECRET",
 * });
 * ```
 *
 * @throws TidegateError `misconfigured`
 */
export function webhook<In extends Schema>(
  name: string,
  options: WebhookOptions<In>,
): EffectDefinition<In, Schema<Taken, Taken>> {
  const { retries, timeout } = options;
  if (typeof options.secret !== "string" && typeof options.secret !== "function") {
    throw misconfigured(`the webhook "${name}" has no secret: name the binding that has it`);
  }
  return effect<In, Schema<Taken, Taken>>(name, {
    input: options.input,
    output: TAKEN,
    handler: (ctx, input) => deliver(name, options, ctx, input as SchemaOutput<In>),
    // Where the bindings say more, nothing is known of the host: then all of the name are one share.
    share: (input) => new URL(addressOf(options, input as SchemaOutput<In>, {})).host,
    ...(retries === undefined ? {} : { retries }),
    ...(timeout === undefined ? {} : { timeout }),
  });
}

const TAKEN: Schema<Taken, Taken> = {
  "~standard": { version: 1, vendor: "tidegate", validate: (value) => ({ value: value as Taken }) },
};

function addressOf<In extends Schema>({ url }: WebhookOptions<In>, input: SchemaOutput<In>, env: Env): string {
  return typeof url === "function" ? url(input, env) : url;
}

function deliver<In extends Schema>(
  name: string,
  options: WebhookOptions<In>,
  ctx: EffectContext,
  input: SchemaOutput<In>,
): Promise<Taken> {
  const { data, type = name, secret, allow, resolve } = options;
  return postSigned(ctx, {
    url: addressOf(options, input, ctx.env),
    body: webhookBody(ctx, type, toJson(data ? data(input) : input)),
    secret: typeof secret === "function" ? secret(input) : secret,
    allow,
    resolve,
  });
}

/** `{"type", "timestamp", "data"}`. @param data JSON */
export function webhookBody({ at }: EffectContext, type: string, data: string): string {
  const timestamp = new Date(at).toISOString();
  return `{"type":${JSON.stringify(type)},"timestamp":"${timestamp}","data":${data}}`;
}

/** What one webhook is made of. */
export interface SignedPost {
  readonly url: string;
  readonly body: string;
  /** Name of the binding that has the secret, or several. */
  readonly secret: string;
  readonly allow: WebhookOptions<Schema>["allow"];
  readonly resolve: WebhookResolver | undefined;
}

/** Posts a webhook and follows its redirects. @throws EffectFailure, or an Error to be tried again */
export async function postSigned(ctx: EffectContext, { url, body, secret, ...rules }: SignedPost): Promise<Taken> {
  const allow = typeof rules.allow === "function" ? rules.allow(ctx.env) : rules.allow;
  const secrets = secretOf(secret, ctx.env);
  let address = url;
  for (let hop = 0; hop <= WEBHOOK_HOPS_MAX; hop++) {
    const target = await targetOf(ctx, address, allow, rules.resolve);
    const response = await post(target, ctx, secrets, body);
    const { status } = response;
    // Nobody reads what is answered.
    await response.body?.cancel();
    if (status >= 200 && status < 300) return { status };
    if (status === GONE) throw ctx.fail("the receiver answered 410: it wants no more webhooks");
    const location = response.headers.get("location");
    if ((status !== 307 && status !== 308) || location === null) throw new Error(`the receiver answered ${status}`);
    address = new URL(location, target).href;
  }
  throw ctx.fail(`the receiver redirects more than ${WEBHOOK_HOPS_MAX} times`);
}

async function targetOf(
  ctx: EffectContext,
  address: string,
  allow: WebhookAllowance | undefined,
  resolve: WebhookResolver | undefined,
): Promise<URL> {
  try {
    return await checkTarget(address, allow, resolve);
  } catch (error) {
    if (error instanceof WebhookTargetError) throw ctx.fail(error.message);
    throw error;
  }
}

async function post(target: URL, ctx: EffectContext, secrets: string, body: string): Promise<Response> {
  // Of this attempt: a receiver refuses what is old.
  const timestamp = Math.floor(Date.now() / 1_000);
  const signature = await signatureOf(secrets, { id: ctx.idempotencyKey, timestamp, body });
  return fetch(target.href, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "webhook-id": ctx.idempotencyKey,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signature,
    },
    body,
    redirect: "manual",
    signal: ctx.signal,
  });
}

/** @throws Error, to be tried again: a deploy may bring it */
function secretOf(binding: string, env: Env): string {
  const value = env[binding];
  if (typeof value !== "string" || value === "") throw new Error(`the secret ${binding} is not set`);
  return value;
}
