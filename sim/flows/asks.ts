/** What clients ask for of streams, views and counters. */
import type { Kernels } from "../../core-wasm/types.ts";
import { STREAM, VIEW } from "../../protocol/flows/internal.ts";
import { DEAD, LATE } from "../../protocol/flows/log.ts";
import { INGEST, PRODUCED } from "../../protocol/wire/ingest.ts";
import type { StreamDefinition } from "../../sdk/index.ts";
import type { Place } from "../clients/steps.ts";
import { Emitted, Kernel, Left, OUT, type OutName, SOURCES } from "./app.ts";
import { DRAWN_KINDS, type DrawnAsk, encodeDrawnAsk, isDrawnAsk } from "./drawn/asks.ts";
import { Sold } from "./ends/app.ts";
import { encodeEndsAsk, ENDS_INTERNAL, ENDS_KINDS, type EndsAsk, isEndsAsk } from "./ends/asks.ts";
import type { FlowEvent } from "./model/events.ts";
import { encodeQueueAsk, isQueueAsk, QUEUE_INTERNAL, QUEUE_KINDS, type QueueAsk } from "./queue/asks.ts";

/** A view, by the flow that keeps it. */
export const VIEWS = {
  tumbled: "windows",
  sessions: "windows",
  totals: "windows",
  newest: "joins",
  running: "emits",
  last: "emits",
  idled: "idle",
  /** Not in every version of the flow. */
  counted: "windows",
} as const;
export type ViewName = keyof typeof VIEWS;
/** Of flows of operators, and the stream under whose name their state is. */
export const HOMES = { windows: Left.name, joins: Left.name, emits: Emitted.name, idle: Left.name } as const;
export type FlowName = keyof typeof HOMES;

export interface Producer {
  readonly name: string;
  /** From 1 on. */
  readonly sequence: number;
}

export type FlowAsk =
  | {
      readonly kind: "events";
      readonly stream: string;
      /** Those that are sent under several ids have one number: only producers do that, when an answer is forgotten. */
      readonly batch: number;
      readonly events: readonly FlowEvent[];
      readonly producer: Producer | null;
    }
  | {
      readonly kind: "emit";
      readonly at: string;
      readonly to: string;
      readonly how: "return" | "throw" | "try";
      readonly events: readonly FlowEvent[];
    }
  | { readonly kind: "view"; readonly view: ViewName }
  /** The window kernel's: no transaction. */
  | { readonly kind: "kernel-view" }
  /** Committed events of a stream. */
  | { readonly kind: "page"; readonly out: OutName; readonly after: number; readonly limit: number }
  /** Late events, or those that a service refused. */
  | { readonly kind: "aside"; readonly flow: FlowName; readonly what: "late" | "dead" }
  | { readonly kind: "counters"; readonly at: string; readonly keys: readonly string[] }
  | DrawnAsk
  | EndsAsk
  | QueueAsk;

const KINDS: ReadonlySet<string> = new Set([
  "events",
  "emit",
  "view",
  "kernel-view",
  "page",
  "aside",
  "counters",
  ...DRAWN_KINDS,
  ...ENDS_KINDS,
  ...QUEUE_KINDS,
] satisfies Array<FlowAsk["kind"]>);

export function isFlowAsk(ask: { readonly kind: string }): ask is FlowAsk {
  return KINDS.has(ask.kind);
}

/** A batch for the flow that the window kernel runs. */
export function isOfKernel(ask: { readonly kind: string } | undefined): boolean {
  return ask?.kind === "events" && (ask as Extract<FlowAsk, { readonly kind: "events" }>).stream === Kernel.name;
}

const ASIDE = { late: LATE, dead: DEAD } as const;

/** Functions of the engine's own. */
export const FLOW_INTERNAL = [
  "view",
  "page",
  "aside",
  ...DRAWN_KINDS,
  ...ENDS_INTERNAL,
  ...QUEUE_INTERNAL,
] as const satisfies ReadonlyArray<FlowAsk["kind"]>;

/** Rows that one page of a view or a stream has at most. */
export const PAGE_ROWS = 5_000;

export function encodeFlowAsk(ask: FlowAsk): { readonly at: Place; readonly name: string; readonly input: string } {
  if (isDrawnAsk(ask)) return encodeDrawnAsk(ask);
  if (isEndsAsk(ask)) return encodeEndsAsk(ask);
  if (isQueueAsk(ask)) return encodeQueueAsk(ask);
  switch (ask.kind) {
    case "events":
      return { at: [STREAM, ask.stream], name: "take", input: JSON.stringify(ask.events) };
    case "emit": {
      const { at, to, how, events } = ask;
      return { at: ["fc", at], name: "emit", input: JSON.stringify({ events, how, to }) };
    }
    case "view": {
      const flow = VIEWS[ask.view];
      return {
        at: [VIEW, HOMES[flow]],
        name: "view",
        input: JSON.stringify({ flow, view: ask.view, limit: PAGE_ROWS }),
      };
    }
    case "kernel-view":
      return { at: [VIEW, Kernel.name], name: "kernel", input: "" };
    case "page": {
      const { after, limit } = ask;
      return { at: [STREAM, OUT[ask.out].name], name: "read", input: JSON.stringify({ after, limit }) };
    }
    case "aside": {
      const { flow, what } = ask;
      return {
        at: [VIEW, HOMES[flow]],
        name: "aside",
        input: JSON.stringify({ flow, what: ASIDE[what], after: -1, limit: PAGE_ROWS }),
      };
    }
    case "counters":
      return { at: ["fc", ask.at], name: "all", input: JSON.stringify(ask.keys) };
  }
}

const encoder = new TextEncoder();

/** The envelope of a batch, as the edge makes it. */
export function envelopeOf(
  kernels: Kernels,
  { id, flags, fingerprint }: { readonly id: string; readonly flags: number; readonly fingerprint: number },
  { stream, events, producer }: Extract<FlowAsk, { readonly kind: "events" }>,
): Uint8Array {
  const { columns } = [...SOURCES, Sold].find(({ name }) => name === stream) as StreamDefinition;
  const parsed = kernels.parseEvents(encoder.encode(events.map((each) => JSON.stringify(each)).join("\n")), columns);
  if (!parsed.ok) throw new Error(`simulated events are wrong: ${parsed.fault.code}`);
  const head = [flags, fingerprint >>> 0, 7, parsed.rows];
  if (producer === null) {
    return kernels.pack(INGEST, { rows: 1, columns: head, fields: [id, stream], tail: parsed.frame });
  }
  return kernels.pack(PRODUCED, {
    rows: 1,
    columns: [...head, producer.sequence, 0],
    fields: [id, stream, producer.name],
    tail: parsed.frame,
  });
}
