/** What users of Tidegate import, apart from the engine itself and the client. */

export { avg, collect, count, distinct, first, last, max, min, reduce, sum, top } from "./aggregate.ts";
export type { Aggregate } from "./aggregate.ts";
export { defineApp } from "./app.ts";
export { authenticated, everyone } from "./caller.ts";
export type { Allow, Caller } from "./caller.ts";
export type { AppDefinition, AppOptions, ViewDefinition } from "./app.ts";
export { collection } from "./collection.ts";
export type {
  Collection,
  CollectionKey,
  CollectionSpec,
  CollectionSpecs,
  Range,
  ReadonlyCollection,
} from "./collection.ts";
export type { Calls, DelayedSends, FnContext, QueryContext, Scheduled, Sends, Tried, Tries } from "./context.ts";
export { contract, fn, query } from "./contract.ts";
export type { Contract, FunctionContract, FunctionKind, Functions, RefusalSchemas } from "./contract.ts";
export type { DeepReadonly } from "./deep-readonly.ts";
export type {
  AllowOptions,
  CorsOptions,
  DoorOptions,
  FlowRules,
  JsonWebKeySet,
  JwtAlgorithm,
  JwtOptions,
  LimitOptions,
  Placement,
  RateOptions,
  StreamRules,
} from "./door.ts";
export type { Duration } from "./duration.ts";
export { effect, EffectFailure } from "./effect.ts";
export type { EffectContext, EffectDefinition, EffectOptions, EffectRetries } from "./effect.ts";
export { TidegateError } from "./errors.ts";
export type { CallError } from "./errors.ts";
export { float, int, str, when } from "./expressions/build.ts";
export { expressionText } from "./expressions/node.ts";
export type { ExpressionNode, FunctionName, ValueKind } from "./expressions/node.ts";
export type { Condition, EventExpression, Expression, OptionalExpression } from "./expressions/types.ts";
export type { Comparison, FieldTest } from "./filter.ts";
export { flow, nodesOf, sinks } from "./flow.ts";
export type {
  ComputedField,
  EgressOptions,
  EgressSink,
  EventRow,
  Events,
  FlowDefinition,
  FlowNode,
  FlowOutput,
  JoinRule,
  Keyed,
  Keys,
  Operator,
  ProcessCode,
  ProcessContext,
  ProcessOptions,
  Results,
  Running,
  Sink,
  ToQueueOptions,
  ToWebhookOptions,
  ViewRow,
  WindowedFlow,
  WindowedOutput,
} from "./flow.ts";
export type { ArgumentsOf, InputOf, OutputOf, RefusalOf } from "./infer.ts";
export type { JsonOf } from "./json.ts";
export { outcome } from "./outcome.ts";
export type { Outcome, OutcomeError } from "./outcome.ts";
export { PROBLEMS } from "./problems.ts";
export type { Problem, ProblemType } from "./problems.ts";
export { queueProducer } from "./queue.ts";
export type { QueueMessage } from "./queue.ts";
export { Refusal } from "./refusal.ts";
export type { PromiseView } from "./builtin/promises.ts";
export type { SagaView } from "./builtin/sagas.ts";
export { saga } from "./saga.ts";
export type { SagaContext, SagaDefinition, SagaOptions, SagaSoFar, SagaStep } from "./saga.ts";
export { reply } from "./reply.ts";
export type { Reply } from "./reply.ts";
export { noData } from "./schema.ts";
export type { Schema } from "./schema.ts";
export { service } from "./service.ts";
export type {
  FunctionOptions,
  Handler,
  Handlers,
  MessageOptions,
  ServiceDefinition,
  ServiceOptions,
  Upcaster,
} from "./service.ts";
export type { Schedule, ScheduleDefinition, Schedules } from "./schedule.ts";
export { boolean, float64, int64, nested, optional, stream, text, timestamp } from "./stream.ts";
export type {
  AnyField,
  EventColumn,
  EventInput,
  EventOf,
  Field,
  FieldKind,
  Fields,
  StreamDefinition,
} from "./stream.ts";
export { signatureOf, verifyWebhook, WebhookError } from "./webhook/signature.ts";
export type { SignedParts, VerifiedWebhook, WebhookRefusal } from "./webhook/signature.ts";
export type { WebhookAllowance, WebhookResolver } from "./webhook/target.ts";
export { webhook } from "./webhook/webhook.ts";
export type { WebhookOptions } from "./webhook/webhook.ts";
export type { When } from "./when.ts";
export { processing, session, sliding, tumbling } from "./window.ts";
export type { SessionWindow, SlidingWindow, TumblingWindow, WindowSpec } from "./window.ts";
