/** The members of a client that stand for services: one method per function of the contract. */

import type { Contract, FunctionContract } from "../contract.ts";
import { encodeKey } from "../keys.ts";
import { RefusalError } from "./errors.ts";
import { searchOf } from "./search.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, SendOptions } from "./types.ts";

type Method = ((input?: unknown, options?: CallOptions) => Promise<unknown>) & {
  try(input?: unknown, options?: CallOptions): Promise<unknown>;
  send?(input?: unknown, options?: SendOptions): Promise<unknown>;
};

/** The functions of one key. */
export function serviceClient(transport: Transport, contract: Contract, key: string): Record<string, Method> {
  const path = `/v1/services/${contract.name}/${encodeKey(key)}`;
  const methods: Record<string, Method> = Object.create(null);
  for (const [name, declared] of Object.entries(contract.functions))
    methods[name] = method(transport, `${path}/${name}`, contract.name, declared);
  return methods;
}

function method(transport: Transport, path: string, service: string, { kind, refusals }: FunctionContract): Method {
  const call = kind === "query" ? get : post;
  const plain = (input?: unknown, options: CallOptions = {}): Promise<unknown> => call(transport, path, input, options);
  // That of a function which this one has called may pass through it: its contract knows nothing of that.
  const refused = (error: unknown): unknown => {
    if (!(error instanceof RefusalError && error.service === service && Object.hasOwn(refusals, error.refusal)))
      throw error;
    return { ok: false, refusal: error.refusal, data: error.data };
  };
  return Object.assign(plain, {
    try: (input?: unknown, options?: CallOptions): Promise<unknown> => plain(input, options).then(succeeded, refused),
    ...(kind === "fn" && {
      send: (input?: unknown, options: SendOptions = {}): Promise<unknown> =>
        post(transport, `${path}/send${when(options)}`, input, options),
    }),
  });
}

function get(
  transport: Transport,
  path: string,
  input: unknown,
  { signal, consistency }: CallOptions,
): Promise<unknown> {
  const body = JSON.stringify(input);
  const search = searchOf({ input: body, consistency });
  const snapshot = consistency === "snapshot";
  // An address takes 8 KiB of input. Without a key the answer is not recorded.
  return search.length > 8_000 && !snapshot
    ? transport.send({ method: "POST", path, body, signal }, json)
    : transport.send({ method: "GET", path: path + search, signal, snapshot }, json);
}

function post(
  transport: Transport,
  path: string,
  input: unknown,
  { signal, idempotencyKey }: CallOptions,
): Promise<unknown> {
  const body = input === undefined ? {} : { body: JSON.stringify(input) };
  const key = idempotencyKey ?? crypto.randomUUID();
  return transport.send({ method: "POST", path, idempotencyKey: key, signal, ...body }, json);
}

/** When a message is to be delivered, as a query. */
function when({ delay, at }: SendOptions): string {
  return searchOf(delay === undefined ? { at: at?.valueOf() } : { delay });
}

const json = (response: Response): Promise<unknown> => response.json();
const succeeded = (value: unknown): unknown => ({ ok: true, value });
