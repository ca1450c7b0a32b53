/** What every operation of an OpenAPI document shares: problems, headers, and how requests name themselves. */
import { PROBLEMS, type ProblemType } from "../../sdk/problems.ts";
import type { JsonSchema } from "./schemas.ts";

const PROBLEM_REF = { $ref: "#/components/schemas/Problem" };

export const PROBLEM_SCHEMA: JsonSchema = {
  type: "object",
  description: "RFC 9457. `type` is stable; other members may follow.",
  properties: {
    type: { type: "string", examples: Object.keys(PROBLEMS).map((type) => `/problems/${type}`) },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    retryable: { type: "boolean", description: "The same request, with the same Idempotency-Key, may succeed later." },
  },
  required: ["type", "title", "status"],
};

export const HEADERS = {
  "Tidegate-Epoch": {
    description: "Opaque position in the history of the partition that answered.",
    schema: { type: "string" },
  },
  "Idempotency-Replayed": {
    description: "`true` when the answer was recorded by an earlier request with this Idempotency-Key.",
    schema: { type: "string", const: "true" },
  },
  "Retry-After": { description: "Seconds.", schema: { type: "integer" } },
};

export const PARAMETERS = {
  Key: {
    name: "key",
    in: "path",
    required: true,
    description:
      "Any text of 1 to 512 bytes of UTF-8, percent-encoded, or `~` and its base64url (needed for `.`, `..` and a leading `~`).",
    schema: { type: "string", minLength: 1 },
  },
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    required: false,
    description: 'One quoted string, e.g. `"order-17"`: the same request with the same key is executed once.',
    schema: { type: "string" },
  },
  Consistency: {
    name: "consistency",
    in: "query",
    required: false,
    description: "`snapshot` may be stale and takes no locks.",
    schema: { type: "string", enum: ["fresh", "snapshot"], default: "fresh" },
  },
  NotBefore: {
    name: "Tidegate-Epoch",
    in: "header",
    required: false,
    description: "Of a snapshot: it is not older than the answer that had this value under the same name.",
    schema: { type: "string", examples: ["1.17"] },
  },
};

export function parameter(name: keyof typeof PARAMETERS): { readonly $ref: string } {
  return { $ref: `#/components/parameters/${name}` };
}

/** A successful answer with the epoch it belongs to. */
export function success(schema: unknown, description: string): Record<string, unknown> {
  return {
    description,
    headers: { "Tidegate-Epoch": { $ref: "#/components/headers/Tidegate-Epoch" } },
    content: { "application/json": { schema } },
  };
}

/** Problem answers by status, for the types that an operation may meet beside those that any may. */
export function problems(types: readonly ProblemType[]): Record<string, unknown> {
  const byStatus = new Map<number, ProblemType[]>();
  for (const type of new Set([...types, ...ALWAYS])) {
    const status = PROBLEMS[type].status;
    byStatus.set(status, [...(byStatus.get(status) ?? []), type]);
  }
  return Object.fromEntries([...byStatus].map(([status, kinds]) => [String(status), problemResponse(status, kinds)]));
}
const ALWAYS: readonly ProblemType[] = [
  "unauthorized",
  "forbidden",
  "rate-limited",
  "internal-error",
  "damaged-data",
  "misconfigured",
  "overloaded",
  "auth-unavailable",
  "deadline-exceeded",
];

function problemResponse(status: number, types: readonly ProblemType[]): Record<string, unknown> {
  const description = types.map((type) => `\`/problems/${type}\`: ${PROBLEMS[type].title}`).join("\n\n");
  const headers =
    status === 503 || status === 429
      ? { headers: { "Retry-After": { $ref: "#/components/headers/Retry-After" } } }
      : {};
  return { description, ...headers, content: { "application/problem+json": { schema: PROBLEM_REF } } };
}
