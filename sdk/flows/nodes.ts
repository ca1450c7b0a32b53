/** Flows as plain data: operators, each with those that it reads from, and sinks. */

import type { Aggregate } from "../aggregate.ts";
import type { Contract } from "../contract.ts";
import type { EffectDefinition } from "../effect.ts";
import type { ExpressionNode } from "../expressions/node.ts";
import type { FieldTest } from "../filter.ts";
import type { Fields, StreamDefinition } from "../stream.ts";
import type { TumblingWindow, WindowSpec } from "../window.ts";

/** An event as user code gets and gives it. Whole numbers beyond 2^53 are bigint; an optional field without a value is null. */
export type EventRow = Readonly<Record<string, bigint | number | string | boolean | null>>;
/** A field of what an operator gives, computed from an event. */
export interface ComputedField {
  readonly name: string;
  readonly expression: ExpressionNode;
}
export type FlowOutput = Aggregate & { readonly name: string };

/** What the keys of an operator are, and how many shares they are spread to. */
export interface Keys {
  /** Empty: all events are one group. */
  readonly fields: readonly string[];
  readonly shards: number;
}

/** How two inputs are joined, per key. */
export type JoinRule =
  | { readonly kind: "window"; readonly window: WindowSpec }
  /** Pairs whose right time is from `before` earlier to `after` later than the left one; ms. */
  | { readonly kind: "interval"; readonly before: number; readonly after: number }
  /** All pairs; both sides are kept for `keep` ms of event time, or for ever. */
  | { readonly kind: "all"; readonly keep: number | null }
  /** Each left event with the right event of its key that came last; the right side is a table. */
  | { readonly kind: "table" };

/** What `process` calls; see `ProcessOptions`. */
export interface ProcessCode {
  readonly state: (() => unknown) | undefined;
  readonly onEvent: (ctx: never, event: never) => void;
  readonly onTimer: ((ctx: never, at: number) => void) | undefined;
}

export type Operator =
  | {
      readonly kind: "source";
      readonly stream: StreamDefinition;
      readonly time: string;
      /** Milliseconds. */
      readonly outOfOrderness: number;
      /** A source without events for so long (server time) holds back no watermark; null: it always does. */
      readonly idle: number | null;
    }
  | { readonly kind: "filter"; readonly test: ExpressionNode }
  | { readonly kind: "map"; readonly columns: readonly ComputedField[] }
  | { readonly kind: "filter-rows"; readonly code: (event: never) => boolean }
  | { readonly kind: "flat-map"; readonly code: (event: never) => readonly unknown[] }
  | { readonly kind: "union" }
  | {
      readonly kind: "lookup";
      readonly contract: Contract;
      readonly query: string;
      readonly key: ExpressionNode;
      readonly input: ((event: never) => unknown) | undefined;
      readonly select: (event: never, found: never) => unknown;
    }
  | {
      readonly kind: "aggregate";
      readonly keys: Keys;
      /** Null: one group a key, for ever, which gives its new result with every batch that changes it. */
      readonly window: WindowSpec | null;
      /** Milliseconds of event time for which a closed window still takes events and gives its result again. */
      readonly lateness: number;
      readonly outputs: readonly FlowOutput[];
      /** Milliseconds of event time after which a group that has had no events is forgotten; null for never. Only without a window. */
      readonly ttl: number | null;
    }
  | {
      readonly kind: "join";
      readonly left: Keys;
      readonly right: Keys;
      readonly rule: JoinRule;
      readonly where: ExpressionNode | null;
      readonly columns: readonly ComputedField[];
    }
  | { readonly kind: "deduplicate"; readonly keys: Keys; readonly keep: "first" | "last"; readonly ttl: number | null }
  | { readonly kind: "process"; readonly keys: Keys; readonly code: ProcessCode };

export interface FlowNode {
  /** Unique in its flow, the same in every version that builds it in the same place. */
  readonly name: string;
  readonly operator: Operator;
  readonly inputs: readonly FlowNode[];
  /** What it gives. */
  readonly fields: Fields;
  /** Fields of it that are JSON texts: lists that an aggregate made. */
  readonly json: readonly string[];
  /** It gives changes: a result that takes the place of an earlier one comes behind a withdrawal of that. */
  readonly changes: boolean;
}

/** An end in the outside world. What is given to it is kept until an effect has delivered it. */
export interface EgressSink {
  readonly kind: "egress";
  /** Of its effect too: unique among those of the app. */
  readonly name: string;
  readonly input: FlowNode;
  readonly to: "queue" | "webhook";
  /** For people: the queue's binding, the webhook's address or the binding that has it. */
  readonly target: string;
  readonly effect: EffectDefinition;
  /** Of one delivery: events, bytes of their JSON with `overhead` for each, and those of a single event. */
  readonly most: {
    readonly events: number;
    readonly bytes: number;
    readonly eventBytes: number;
    readonly overhead: number;
  };
  /** Deliveries that may be under way at a time. */
  readonly atATime: number;
  readonly onFull: "abort-batch" | "dead-letter";
}

export type Sink =
  | EgressSink
  | {
      readonly kind: "view";
      readonly name: string;
      readonly input: FlowNode;
      /** Fields that name a row; later rows with the same take its place. */
      readonly key: readonly string[];
      /** `windowed`: rows are `{ key, window, …outputs, final }`. `plain`: the fields as they are. */
      readonly shape: "windowed" | "plain";
    }
  | { readonly kind: "stream"; readonly input: FlowNode; readonly stream: StreamDefinition }
  | {
      readonly kind: "call";
      readonly name: string;
      readonly input: FlowNode;
      readonly contract: Contract;
      readonly function: string;
      readonly key: ExpressionNode;
      readonly argument: ((event: never) => unknown) | undefined;
      /** `call`: in the batch's transaction. `message`: one-way, behind it. */
      readonly as: "call" | "message";
      readonly onRefusal: "dead-letter" | "abort-batch";
    };

/** A chain that the window kernel runs whole: a stream's events, filtered, by one field, in tumbling windows. */
export interface WindowedFlow {
  readonly name: string;
  readonly stream: StreamDefinition;
  /** The field that is event time. */
  readonly time: string;
  /** Milliseconds by which events may be behind the latest one. */
  readonly outOfOrderness: number;
  /** All must hold. */
  readonly filter: readonly FieldTest[];
  /** The field that groups. */
  readonly key: string;
  readonly window: TumblingWindow;
  /** In the order of declaration. */
  readonly outputs: readonly WindowedOutput[];
  readonly view: string;
}
export type WindowedOutput = Extract<Aggregate, { readonly kind: "count" | "sum" | "min" | "max" }> & {
  readonly name: string;
};

declare const rowType: unique symbol;

/** A finished flow: immutable plain data. `Row` is the type of its view's rows. */
export interface FlowDefinition<Row = unknown> {
  readonly kind: "flow";
  readonly name: string;
  readonly sinks: readonly Sink[];
  /** Streams that it reads, in the order of declaration. */
  readonly streams: readonly StreamDefinition[];
  /** Its view, or the first of several; undefined where it has none. */
  readonly view: string | undefined;
  /** Set where the window kernel can run all of it. */
  readonly windowed: WindowedFlow | null;
  /** What a change of it may drop, as `explain` names it. */
  readonly drops: readonly string[];
  readonly [rowType]?: Row;
}

/** All operators of a flow, those that are read before those that read them. */
export function nodesOf(flow: Pick<FlowDefinition, "sinks">): FlowNode[] {
  const nodes: FlowNode[] = [];
  const seen = new Set<FlowNode>();
  const visit = (node: FlowNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const input of node.inputs) visit(input);
    nodes.push(node);
  };
  for (const sink of flow.sinks) visit(sink.input);
  return nodes;
}
